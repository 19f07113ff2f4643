# Networks beside their null models: real ones, the user's own, and cells of the S1 grid. All graphs
# of a network (itself, then its null graphs) lie in one file; `summary` says which is which.


rule sample_network:
    input:
        lambda w: [*map(edges, plan.networks.graphs(w)), *plan.networks.file(w)],
    output:
        edges=paths.NETWORK_EDGES,
        nodes=paths.NETWORK_NODES,
        summary=paths.NETWORK_SUMMARY,
    log:
        paths.log("sample_network", paths.NETWORK_EDGES),
    benchmark:
        paths.benchmark("sample_network", paths.NETWORK_EDGES)
    params:
        p=plan.networks.params,
        code=plan.code("sample_network"),
    message:
        "Null models of {wildcards.network}"
    script:
        "../workflow/scripts/sample_network.py"


rule simulate_network:
    input:
        edges=rules.sample_network.output.edges,
    output:
        of_every_system(paths.NETWORK_TRAJECTORIES),
    log:
        paths.log("simulate_network", paths.NETWORK),
    benchmark:
        paths.benchmark("simulate_network", paths.NETWORK)
    params:
        p=plan.networks.parts,
        code=plan.code("simulate_trajectories"),
    message:
        "Simulating all systems on {wildcards.network} and its null models"
    script:
        "../workflow/scripts/simulate_trajectories.py"
