# S1 graphs: all graphs of one grid cell in one job, then what is measured on them.


rule sample_graphs:
    output:
        edges="results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}/edges.parquet",
        coordinates="results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}/coordinates.parquet",
    log:
        "results/logs/sample_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/sample_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.graphs(w.role, w.N, w.beta, w.gamma),
        code=plan.code("sample_graphs"),
    message:
        "Sampling {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/sample_graphs.py"


rule measure_graphs:
    input:
        edges=rules.sample_graphs.output.edges,
        coordinates=rules.sample_graphs.output.coordinates,
    output:
        nodes="results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}/nodes.parquet",
        summary="results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}/summary.parquet",
    log:
        "results/logs/measure_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/measure_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.graphs(w.role, w.N, w.beta, w.gamma),
        code=plan.code("measure_graphs"),
    message:
        "Measuring {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/measure_graphs.py"
