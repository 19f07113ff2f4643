# Zoos: data sets that are downloaded, and independently trained networks, a block of members as one
# stacked tensor.


rule download_data:
    output:
        "results/data/{data}/downloaded.json",
    log:
        "results/logs/download_data/{data}.log",
    benchmark:
        "results/benchmarks/download_data/{data}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.download(w.data),
        code=plan.code("download_data"),
    message:
        "Downloading {wildcards.data}"
    script:
        "../workflow/scripts/download_data.py"


rule train_zoo:
    input:
        data=lambda w: plan.downloads(w.zoo),
    output:
        members="results/zoo/{zoo}/raw/block~{block}.safetensors",
        metrics="results/zoo/{zoo}/raw/block~{block}.metrics.parquet",
    log:
        "results/logs/train_zoo/{zoo}/raw/block~{block}.log",
    benchmark:
        "results/benchmarks/train_zoo/{zoo}/raw/block~{block}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.zoo(w.zoo, w.block),
        folder=lambda w: plan.folder(w.zoo),
        code=plan.code("train_zoo"),
    message:
        "Training zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/train_zoo.py"
