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
        fill(paths.benchmark("sample_graphs", paths.EDGES), plan.graphs.training),
        fill(paths.benchmark("sample_graphs", paths.EDGES), plan.graphs.tests),
        fill(paths.benchmark("measure_graphs", paths.NODES), plan.graphs.tests),
        fill(
            paths.benchmark("simulate_trajectories", paths.TRAJECTORIES),
            plan.dynamics.training,
        ),
        fill(
            paths.benchmark("simulate_trajectories", paths.TRAJECTORIES),
            plan.dynamics.tests,
        ),
        fill(paths.benchmark("sample_network", paths.NETWORK_EDGES), plan.networks.all),
        fill(paths.benchmark("train_node", paths.MODELS), plan.node.trainings),
        fill(paths.benchmark("test_node", paths.RUNS), plan.node.trainings),
        fill(
            paths.benchmark("test_snapshots", paths.OVER_TRAINING),
            plan.experiments.snapshots,
        ),
        fill(
            paths.benchmark("compare_fixed_points", paths.FIXED_POINTS),
            plan.experiments.details,
        ),
        fill(paths.benchmark("hide_nodes", paths.HIDDEN), plan.experiments.details),
        fill(paths.benchmark("perturb_node", paths.NOISE), plan.experiments.noise),
        fill(
            paths.benchmark("compare_functions", paths.FUNCTIONS),
            plan.experiments.details,
        ),
        fill(paths.benchmark("train_zoo", paths.METRICS), plan.canonical.members),
        fill(paths.benchmark("align_zoo", paths.ALIGNMENT), plan.canonical.members),
        fill(paths.benchmark("measure_barrier", paths.BARRIER), plan.canonical.members),
        fill(paths.benchmark("train_flow", paths.FLOW), plan.flows.all),
        fill(paths.benchmark("sample_flow", paths.FLOW), plan.flows.all),
        fill(paths.benchmark("judge_samples", paths.FLOW), plan.flows.all),
        fill(paths.benchmark("transfer_samples", paths.FLOW), plan.transfers.all),
        fill(paths.benchmark("train_bridge", paths.BRIDGE_MEMBERS), plan.bridge.all),
        fill(paths.benchmark("fit_bridge", paths.BRIDGE), plan.bridge.all),
        fill(
            paths.benchmark("judge_bridge", narrow(paths.BRIDGE_TESTS, table="panel")),
            plan.bridge.all,
        ),
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
