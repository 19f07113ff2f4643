# Trajectories of all systems on all graphs of one grid cell. A system with other parameters leaves
# the trajectories of the others as they are.
TRAJECTORIES = (
    "results/trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet"
)


rule simulate_trajectories:
    input:
        edges=lambda w: edges(w.role, Cell(int(w.N), float(w.beta), float(w.gamma))),
    output:
        [update(TRAJECTORIES.replace("{system}", system)) for system in plan.simulated],
    log:
        "results/logs/simulate_trajectories/{role}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/simulate_trajectories/{role}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.trajectory_parts(w.role, w.N, w.beta, w.gamma),
        code=plan.code("simulate_trajectories"),
    message:
        "Simulating all systems on {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/simulate_trajectories.py"
