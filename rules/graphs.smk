# S¹ graphs: all graphs of one grid cell in one job, then what is measured on them.
GRAPHS = "results/graphs/{role}/N~{N}/beta~{beta}/gamma~{gamma}"


def graphs_made(role, N, beta, gamma):
    """What makes the graphs of a cell what they are."""
    settings = config["graphs"]
    return {
        "role": role,
        "N": int(N),
        "beta": float(beta),
        "gamma": float(gamma),
        "graphs": settings[role]["graphs"],
        "mean_degree": settings["mean_degree"],
        "sampler": settings["sampler"],
        "seed": config["seed"],
    }


rule sample_graphs:
    output:
        edges=f"{GRAPHS}/edges.parquet",
        coordinates=f"{GRAPHS}/coordinates.parquet",
    log:
        f"results/logs/sample_graphs/{GRAPHS[8:]}.log",
    benchmark:
        f"results/benchmarks/sample_graphs/{GRAPHS[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: graphs_made(w.role, w.N, w.beta, w.gamma),
        code=code("sample_graphs"),
    message:
        "Sampling S1 graphs ({wildcards.role}), N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/sample_graphs.py"


rule measure_graphs:
    input:
        edges=rules.sample_graphs.output.edges,
        coordinates=rules.sample_graphs.output.coordinates,
    output:
        nodes=f"{GRAPHS}/nodes.parquet",
        summary=f"{GRAPHS}/summary.parquet",
    log:
        f"results/logs/measure_graphs/{GRAPHS[8:]}.log",
    benchmark:
        f"results/benchmarks/measure_graphs/{GRAPHS[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: graphs_made(w.role, w.N, w.beta, w.gamma),
        code=code("measure_graphs"),
    message:
        "Measuring the graphs ({wildcards.role}), N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/measure_graphs.py"
