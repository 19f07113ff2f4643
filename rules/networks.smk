# Networks beside their null models: real ones, the user's own, and cells of the S1 grid. All graphs
# of a network (itself, then its null graphs) lie in one file; `summary` says which is which.


rule sample_network:
    input:
        lambda w: (
            [edges("test", plan.network_cells[w.network])]
            if w.network in plan.network_cells
            else plan.network_file(w.network)
        ),
    output:
        edges="results/networks/{network}/edges.parquet",
        nodes="results/networks/{network}/nodes.parquet",
        summary="results/networks/{network}/summary.parquet",
    log:
        "results/logs/sample_network/{network}.log",
    benchmark:
        "results/benchmarks/sample_network/{network}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.network(w.network),
        code=plan.code("sample_network"),
    message:
        "Null models of {wildcards.network}"
    script:
        "../workflow/scripts/sample_network.py"


rule simulate_network:
    input:
        edges=rules.sample_network.output.edges,
    output:
        [
            update(
                f"results/trajectories/networks/{system}/{{network}}.parquet",
            )
            for system in plan.systems
        ],
    log:
        "results/logs/simulate_network/{network}.log",
    benchmark:
        "results/benchmarks/simulate_network/{network}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.network_parts(w.network),
        code=plan.code("simulate_network"),
    message:
        "Simulating all systems on {wildcards.network} and its null models"
    script:
        "../workflow/scripts/simulate_network.py"
