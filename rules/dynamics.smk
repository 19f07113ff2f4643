# Trajectories of all systems on all graphs of one grid cell. A system with other parameters leaves
# the trajectories of the others as they are.


rule simulate_trajectories:
    input:
        edges=edges,
    output:
        of_every_system(paths.TRAJECTORIES),
    log:
        paths.log("simulate_trajectories", paths.EDGES),
    benchmark:
        paths.benchmark("simulate_trajectories", paths.EDGES)
    params:
        p=plan.dynamics.parts,
        code=plan.code("simulate_trajectories"),
    message:
        "Simulating all systems on {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/simulate_trajectories.py"
