# Trajectories of one system on all graphs of one grid cell.


rule simulate_trajectories:
    input:
        edges=rules.sample_graphs.output.edges,
    output:
        paths.TRAJECTORIES,
    log:
        paths.log("simulate_trajectories", paths.TRAJECTORIES),
    benchmark:
        paths.benchmark("simulate_trajectories", paths.TRAJECTORIES)
    params:
        p=plan.dynamics.params,
        code=plan.code("simulate_trajectories"),
    message:
        "Simulating {wildcards.system} on {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/simulate_trajectories.py"
