# S1 graphs: all graphs of one grid cell in one job, with what is measured on them. Measuring them in
# another way leaves the graphs as they are.
GRAPHS = "results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}"


rule sample_graphs:
    output:
        edges=update(f"{GRAPHS}/edges.parquet"),
        coordinates=update(f"{GRAPHS}/coordinates.parquet"),
        nodes=update(f"{GRAPHS}/nodes.parquet"),
        summary=update(f"{GRAPHS}/summary.parquet"),
    log:
        "results/logs/sample_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/sample_graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.graph_parts(w.role, w.N, w.beta, w.gamma),
        code=plan.code("sample_graphs"),
    message:
        "Sampling and measuring {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/sample_graphs.py"
