# What the run cost, from the benchmark file that every job leaves, figures aside.


rule collect_runtime:
    input:
        lambda _: benchmarks([*rules.all_tables.input, *plan.own.every_law]),
    output:
        table("runtime").path,
    log:
        paths.log("collect_runtime"),
    benchmark:
        paths.benchmark("collect_runtime")
    params:
        p={"on_demand": [name for name, stage in STAGES.items() if stage.on_demand]},
        code=plan.code("collect_runtime"),
    message:
        "Gathering what every job cost"
    script:
        "../workflow/scripts/collect_runtime.py"


rule compare_resources:
    input:
        runtime=rules.collect_runtime.output[0],
    output:
        table("resources").path,
    log:
        paths.log("compare_resources"),
    benchmark:
        paths.benchmark("compare_resources")
    params:
        p=requests(ROOT),
        code=plan.code("compare_resources"),
    message:
        "Comparing what the SLURM profile asks for with what jobs used"
    script:
        "../workflow/scripts/compare_resources.py"
