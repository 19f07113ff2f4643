# Trajectories of one system on all graphs of one grid cell.


rule simulate_trajectories:
    input:
        edges=rules.sample_graphs.output.edges,
    output:
        "results/trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet",
    log:
        "results/logs/simulate_trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/simulate_trajectories/{role}/{system}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.trajectories(w.role, w.system, w.N, w.beta, w.gamma),
        code=plan.code("simulate_trajectories"),
    message:
        "Simulating {wildcards.system} on {wildcards.role} graphs, N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/simulate_trajectories.py"
