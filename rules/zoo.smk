# Zoos: data sets that are downloaded, and independently trained networks, a block of members as one
# stacked tensor, trained here or read from checkpoints.


rule download_data:
    output:
        paths.DOWNLOADED,
    log:
        paths.log("download_data", paths.DOWNLOADED),
    benchmark:
        paths.benchmark("download_data", paths.DOWNLOADED)
    params:
        p=plan.data.params,
        code=plan.code("download_data"),
    message:
        "Downloading {wildcards.data}"
    script:
        "../workflow/scripts/download_data.py"


rule import_zoo:
    input:
        plan.zoos.checkpoints,
    output:
        members=narrow(paths.MEMBERS, alignment="raw"),
        metrics=paths.METRICS,
        report=paths.IMPORT,
        notes=paths.IMPORT_NOTES,
    log:
        paths.log("import_zoo", paths.METRICS),
    benchmark:
        paths.benchmark("import_zoo", paths.METRICS)
    wildcard_constraints:
        zoo=plan.zoos.pattern(elsewhere=True),
    priority: 20
    params:
        p=plan.zoos.params,
        code=plan.code("import_zoo"),
    message:
        "Reading checkpoints of zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/import_zoo.py"


rule train_zoo:
    input:
        data=plan.zoos.downloads,
    output:
        members=narrow(paths.MEMBERS, alignment="raw"),
        metrics=paths.METRICS,
    log:
        paths.log("train_zoo", paths.METRICS),
    benchmark:
        paths.benchmark("train_zoo", paths.METRICS)
    wildcard_constraints:
        zoo=plan.zoos.pattern(elsewhere=False),
    priority: 20
    params:
        p=plan.zoos.params,
        folder=plan.zoos.folder,
        code=plan.code("train_zoo"),
    message:
        "Training zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/train_zoo.py"


rule train_shorter:
    input:
        data=plan.zoos.downloads,
    output:
        paths.EPOCHS,
    log:
        paths.log("train_shorter", paths.EPOCHS),
    benchmark:
        paths.benchmark("train_shorter", paths.EPOCHS)
    params:
        p=plan.costs.shorter,
        folder=plan.zoos.folder,
        code=plan.code("train_shorter"),
    message:
        "Training members of zoo {wildcards.zoo} for fewer epochs"
    script:
        "../workflow/scripts/train_shorter.py"
