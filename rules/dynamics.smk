# Trajectories of all systems on all graphs of one grid cell. A system with other parameters leaves
# the trajectories of the others as they are.
TRAJECTORIES = (
    "results/trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet"
)


def trajectories(role, system, cell):
    """The trajectories of a system on all graphs of a cell."""
    made = plan.trajectory_parts(role, *astuple(cell))
    return one_of(
        f"results/trajectories/{role}/{system}/{cell.path}.parquet",
        {
            f"results/trajectories/{role}/{name}/{cell.path}.parquet": part
            for name, part in made.items()
        },
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
