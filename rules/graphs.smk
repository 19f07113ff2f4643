# S1 graphs: all graphs of one grid cell in one job, then what is measured on them.


rule sample_graphs:
    output:
        edges=paths.EDGES,
        coordinates=paths.COORDINATES,
    log:
        paths.log("sample_graphs", paths.EDGES),
    benchmark:
        paths.benchmark("sample_graphs", paths.EDGES)
    params:
        p=plan.graphs.params,
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
        nodes=paths.NODES,
        summary=paths.SUMMARY,
    log:
        paths.log("measure_graphs", paths.NODES),
    benchmark:
        paths.benchmark("measure_graphs", paths.NODES)
    params:
        p=plan.graphs.params,
        code=plan.code("measure_graphs"),
    message:
        "Measuring {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/measure_graphs.py"
