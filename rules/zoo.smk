# Zoos: data sets that are downloaded, and independently trained networks, a block of members as one
# stacked tensor.


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


rule train_zoo:
    input:
        data=plan.zoos.downloads,
    output:
        members=narrow(paths.MEMBERS, weights="raw"),
        metrics=paths.METRICS,
    log:
        paths.log("train_zoo", paths.METRICS),
    benchmark:
        paths.benchmark("train_zoo", paths.METRICS)
    priority: 20
    params:
        p=plan.zoos.params,
        folder=plan.zoos.folder,
        code=plan.code("train_zoo"),
    message:
        "Training zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/train_zoo.py"
