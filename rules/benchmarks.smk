# What the run cost, from the benchmark file that every job leaves.


rule collect_runtime:
    input:
        plan.over_cells(
            "results/benchmarks/sample_graphs/test/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_cells(
            "results/benchmarks/measure_graphs/test/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_systems(
            "results/benchmarks/simulate_trajectories/test/{system}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_models(
            "results/benchmarks/train_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_models(
            "results/benchmarks/test_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_detail(
            "results/benchmarks/compare_fixed_points/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_detail(
            "results/benchmarks/hide_nodes/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_noise("results/benchmarks/perturb_node/{system}/{variant}.tsv"),
        plan.over_zoos(
            "results/benchmarks/train_zoo/{zoo}/{weights}/block~{block}.tsv", ("raw",)
        ),
        plan.over_zoos(
            "results/benchmarks/align_zoo/{zoo}/{weights}/block~{block}.tsv",
            ("aligned",),
        ),
        plan.over_zoos("results/benchmarks/measure_barrier/{zoo}/{weights}.tsv"),
        plan.over_flows(
            "results/benchmarks/train_flow/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_flows(
            "results/benchmarks/sample_flow/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_flows(
            "results/benchmarks/judge_samples/{flow}/{weights}/width~{width}.tsv"
        ),
    output:
        "results/tables/runtime.parquet",
    log:
        "results/logs/collect_runtime/all.log",
    benchmark:
        "results/benchmarks/collect_runtime/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_runtime"),
    message:
        "Gathering what every job cost"
    script:
        "../workflow/scripts/collect_runtime.py"
