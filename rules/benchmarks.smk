# What the run cost, from the benchmark file that every job leaves, figures aside.
COLLECTED = [
    "answer_bridge",
    "collect_activity",
    "collect_alignment",
    "collect_experiments",
    "collect_flow_training",
    "collect_graphs",
    "collect_judgements",
    "collect_members",
    "collect_networks",
    "collect_tests",
    "collect_theory",
    "collect_training",
    "judge_claims",
    "judge_warning",
]


rule collect_runtime:
    input:
        plan.over_training(
            "results/benchmarks/sample_graphs/training/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_cells(
            "results/benchmarks/sample_graphs/test/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_training(
            "results/benchmarks/simulate_trajectories/training/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_cells(
            "results/benchmarks/simulate_trajectories/test/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
        ),
        plan.over_networks("results/benchmarks/sample_network/{network}.tsv"),
        plan.over_models(
            "results/benchmarks/train_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_models(
            "results/benchmarks/test_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_snapshots(
            "results/benchmarks/test_snapshots/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_detail(
            "results/benchmarks/examine_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
        ),
        plan.over_noise("results/benchmarks/perturb_node/{system}/{variant}.tsv"),
        plan.over_zoos(
            "results/benchmarks/train_zoo/{zoo}/{weights}/block~{block}.tsv", ("raw",)
        ),
        plan.over_zoos(
            "results/benchmarks/align_zoo/{zoo}/{weights}/block~{block}.tsv",
            ("aligned",),
        ),
        plan.over_zoos("results/benchmarks/measure_barrier/{zoo}.tsv"),
        plan.over_flows(
            "results/benchmarks/train_flow/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_flows(
            "results/benchmarks/sample_flow/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_flows(
            "results/benchmarks/judge_samples/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_transfers(
            "results/benchmarks/transfer_samples/{flow}/{weights}/width~{width}.tsv"
        ),
        plan.over_bridges("results/benchmarks/train_bridge/{nodes}/{system}.tsv"),
        plan.over_bridges("results/benchmarks/fit_bridge/{nodes}.tsv"),
        plan.over_bridges("results/benchmarks/judge_bridge/{nodes}/{system}.tsv"),
        [f"results/benchmarks/{rule}/all.tsv" for rule in COLLECTED],
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


rule compare_resources:
    input:
        runtime=rules.collect_runtime.output[0],
    output:
        "results/tables/resources.parquet",
    log:
        "results/logs/compare_resources/all.log",
    benchmark:
        "results/benchmarks/compare_resources/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=plan.requests(),
        code=plan.code("compare_resources"),
    message:
        "Comparing what the SLURM profile asks for with what jobs used"
    script:
        "../workflow/scripts/compare_resources.py"
