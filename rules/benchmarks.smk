# What the run cost, from the benchmark file that every job leaves.
BENCHMARKS = [
    f"results/benchmarks/{step}/{job}.tsv"
    for step, jobs in {
        "sample_graphs": [f"graphs/test/{cell.path}" for cell in TEST_CELLS],
        "measure_graphs": [f"graphs/test/{cell.path}" for cell in TEST_CELLS],
        "simulate_trajectories": [
            f"trajectories/test/{system}/{cell.path}"
            for system in SYSTEMS
            for cell in TEST_CELLS
        ],
        "train_node": [path[8:] for path in model_files("")],
        "test_node": [path[8 : -len("/runs.parquet")] for path in test_files("runs")],
        "train_zoo": [path[8:] for zoo in ZOOS for path in zoo_files(RAW, zoo, "raw")],
        "align_zoo": [
            path[8:] for zoo in ZOOS for path in zoo_files(ALIGNED, zoo, "aligned")
        ],
        "measure_barrier": [f"{zoo}/{w}" for zoo in ZOOS for w in ("raw", "aligned")],
        **{
            step: [path[8:-1] for path in flow_files("")]
            for step in ("train_flow", "sample_flow", "judge_samples")
        },
    }.items()
    for job in jobs
]


rule collect_runtime:
    input:
        BENCHMARKS,
    output:
        "results/tables/runtime.parquet",
    log:
        "results/logs/collect_runtime.log",
    benchmark:
        "results/benchmarks/collect_runtime/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_runtime"),
    message:
        "Gathering what every job cost"
    script:
        "../workflow/scripts/collect_runtime.py"
