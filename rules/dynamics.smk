# Trajectories of one system on all graphs of one grid cell.
TRAJECTORIES = (
    "results/trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet"
)


def trajectories_made(role, system, N, beta, gamma):
    """What makes the trajectories of a system in a cell what they are."""
    settings = config["dynamics"]
    shared = ("initial", "horizon", "rtol", "atol", "max_steps")
    return {
        "system": system,
        "parameters": settings["parameters"][system],
        **{name: settings[name] for name in shared},
        **settings[role],
        "on": graphs_made(role, N, beta, gamma),
    }


rule simulate_trajectories:
    input:
        edges=rules.sample_graphs.output.edges,
    output:
        TRAJECTORIES,
    log:
        f"results/logs/simulate_trajectories/{TRAJECTORIES[8:-8]}.log",
    benchmark:
        f"results/benchmarks/simulate_trajectories/{TRAJECTORIES[8:-8]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: trajectories_made(w.role, w.system, w.N, w.beta, w.gamma),
        code=code("simulate_trajectories"),
    message:
        "Simulating {wildcards.system} ({wildcards.role}), N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/simulate_trajectories.py"
