# Networks beside their null models: real ones, the user's own, and cells of the S1 grid. All graphs
# of a network (itself, then its null graphs) lie in one file; `summary` says which is which.


rule sample_network:
    input:
        plan.networks.source,
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
        paths.NETWORK_TRAJECTORIES,
    log:
        paths.log("simulate_network", paths.NETWORK_TRAJECTORIES),
    benchmark:
        paths.benchmark("simulate_network", paths.NETWORK_TRAJECTORIES)
    params:
        p=plan.networks.trajectory_params,
        code=plan.code("simulate_network"),
    message:
        "Simulating {wildcards.system} on {wildcards.network} and its null models"
    script:
        "../workflow/scripts/simulate_network.py"
