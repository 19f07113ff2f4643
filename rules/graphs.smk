# S1 graphs: all graphs of one grid cell in one job, with what is measured on them. Measuring them in
# another way leaves the graphs as they are.


rule sample_graphs:
    output:
        edges=update(paths.EDGES),
        coordinates=update(paths.COORDINATES),
        nodes=update(paths.NODES),
        summary=update(paths.SUMMARY),
    log:
        paths.log("sample_graphs", paths.EDGES),
    benchmark:
        paths.benchmark("sample_graphs", paths.EDGES)
    params:
        p=plan.graphs.parts,
        code=plan.code("sample_graphs"),
    message:
        "Sampling and measuring {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/sample_graphs.py"
