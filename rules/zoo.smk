# Zoos: independently trained networks, a block of members as one stacked tensor.
from nodeflow.datasets import dataset_available

ZOO = "results/zoo/{zoo}/{weights}/block~{block}"
RAW = ZOO.replace("{weights}", "raw")


def zoo_folder(name):
    """The folder that the user named for the data set of a zoo, if any."""
    return config["zoo"]["folders"].get(config["zoo"]["zoos"][name]["data"])


ZOOS = config["zoo"]["use"] + [
    name
    for name in config["zoo"]["where_found"]
    if dataset_available(config["zoo"]["zoos"][name]["data"], zoo_folder(name))
]


def zoo_blocks(name):
    """Numbers of the blocks of a zoo: block k holds members k·size to (k + 1)·size − 1."""
    settings = config["zoo"]["zoos"][name]
    return range(-(-(settings["members"] + settings["held_out"]) // settings["block"]))


def zoo_files(pattern, name, weights):
    """One path a block."""
    return [
        pattern.format(zoo=name, weights=weights, block=k) for k in zoo_blocks(name)
    ]


def zoo_made(zoo, block):
    """What makes a block of a zoo what it is."""
    settings = config["zoo"]["zoos"][zoo]
    total = settings["members"] + settings["held_out"]
    first = int(block) * settings["block"]
    return {
        "zoo": zoo,
        "block": int(block),
        "first": first,
        "count": min(settings["block"], total - first),
        "data": settings["data"],
        "hidden": settings["hidden"],
        "training": settings["training"],
        "device": config["device"],
        "seed": config["seed"],
    }


rule train_zoo:
    output:
        members=f"{RAW}.safetensors",
        metrics=f"{RAW}.metrics.parquet",
    log:
        f"results/logs/train_zoo/{RAW[8:]}.log",
    benchmark:
        f"results/benchmarks/train_zoo/{RAW[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: zoo_made(w.zoo, w.block),
        folder=lambda w: zoo_folder(w.zoo),
        code=code("train_zoo"),
    message:
        "Training zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/train_zoo.py"
