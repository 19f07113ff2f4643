# Canonicalization: every member is aligned to member 0 of its zoo; then what it changed.
ALIGNED = ZOO.replace("{weights}", "aligned")


def alignment_made(zoo, block):
    """What makes an aligned block what it is."""
    return {
        "settings": config["canonical"]["matching"],
        "reference": 0,
        "zoo": zoo,
        "block": int(block),
        "from": zoo_made(zoo, block),
    }


def members_made(zoo, weights, block):
    """What makes a block of members, aligned or raw, what it is."""
    return alignment_made(zoo, block) if weights == "aligned" else zoo_made(zoo, block)


rule align_zoo:
    input:
        members=rules.train_zoo.output.members,
        reference=RAW.replace("{block}", "0") + ".safetensors",
    output:
        members=f"{ALIGNED}.safetensors",
        report=f"{ALIGNED}.alignment.parquet",
    log:
        f"results/logs/align_zoo/{ALIGNED[8:]}.log",
    benchmark:
        f"results/benchmarks/align_zoo/{ALIGNED[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: alignment_made(w.zoo, w.block),
        code=code("align_zoo"),
    message:
        "Aligning zoo {wildcards.zoo}, block {wildcards.block}, to its first member"
    script:
        "../workflow/scripts/align_zoo.py"


rule measure_barrier:
    input:
        ZOO.replace("{block}", "0") + ".safetensors",
    output:
        "results/zoo/{zoo}/{weights}/barrier.parquet",
    log:
        "results/logs/measure_barrier/{zoo}/{weights}.log",
    benchmark:
        "results/benchmarks/measure_barrier/{zoo}/{weights}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: {
            **config["canonical"]["barrier"],
            "zoo": w.zoo,
            "weights": w.weights,
            "data": config["zoo"]["zoos"][w.zoo]["data"],
            "device": config["device"],
            "from": members_made(w.zoo, w.weights, 0),
        },
        folder=lambda w: zoo_folder(w.zoo),
        code=code("measure_barrier"),
    message:
        "Loss barrier between {wildcards.weights} members of zoo {wildcards.zoo}"
    script:
        "../workflow/scripts/measure_barrier.py"
