# Flow matching over the weights of a zoo: train, sample, and judge the samples.
FLOW = "results/flow/{flow}/{weights}/width~{width}"
FLOWS = [
    name
    for name in config["flow"]["use"]
    if config["flow"]["flows"][name]["zoo"] in ZOOS
]


def flow_zoo(wildcards):
    """Name of the zoo that a flow learns."""
    return config["flow"]["flows"][wildcards.flow]["zoo"]


def flow_members(wildcards):
    """Files of the members that a flow learns, or is judged against."""
    return zoo_files(f"{ZOO}.safetensors", flow_zoo(wildcards), wildcards.weights)


def with_width(settings, width):
    """The settings of a flow with the hidden width of its velocity field."""
    return {**settings, "velocity": {**settings.get("velocity", {}), "hidden": width}}


def flow_made(flow, weights, width):
    """What makes a flow what it is."""
    settings = config["flow"]["flows"][flow]
    zoo = settings["zoo"]
    return {
        "flow": flow,
        "weights": weights,
        "width": int(width),
        "zoo": zoo,
        "members": config["zoo"]["zoos"][zoo]["members"],
        "method": settings["method"],
        "settings": with_width(settings["settings"], int(width)),
        "device": config["device"],
        "seed": config["seed"],
        "from": [members_made(zoo, weights, k) for k in zoo_blocks(zoo)],
    }


def samples_made(flow, weights, width):
    """What makes the samples of a flow what they are."""
    return {
        **config["flow"]["flows"][flow]["sampling"],
        "flow": flow,
        "weights": weights,
        "width": int(width),
        "device": config["device"],
        "seed": config["seed"],
        "from": flow_made(flow, weights, width),
    }


def judgement_made(flow, weights, width):
    """What makes the judgement of a flow's samples what it is."""
    zoo = config["flow"]["flows"][flow]["zoo"]
    return {
        "settings": config["judge"],
        "flow": flow,
        "weights": weights,
        "width": int(width),
        "zoo": zoo,
        "members": config["zoo"]["zoos"][zoo]["members"],
        "data": config["zoo"]["zoos"][zoo]["data"],
        "device": config["device"],
        "seed": config["seed"],
        "from": samples_made(flow, weights, width),
    }


rule train_flow:
    input:
        members=flow_members,
    output:
        flow=f"{FLOW}/flow.safetensors",
        history=f"{FLOW}/history.parquet",
    log:
        f"results/logs/train_flow/{FLOW[8:]}.log",
    benchmark:
        f"results/benchmarks/train_flow/{FLOW[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: flow_made(w.flow, w.weights, w.width),
        code=code("train_flow"),
    message:
        "Training flow {wildcards.flow} on {wildcards.weights} weights, width {wildcards.width}"
    script:
        "../workflow/scripts/train_flow.py"


rule sample_flow:
    input:
        flow=rules.train_flow.output.flow,
    output:
        samples=f"{FLOW}/samples.safetensors",
    log:
        f"results/logs/sample_flow/{FLOW[8:]}.log",
    benchmark:
        f"results/benchmarks/sample_flow/{FLOW[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: samples_made(w.flow, w.weights, w.width),
        code=code("sample_flow"),
    message:
        "Sampling networks from flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/sample_flow.py"


rule judge_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=flow_members,
    output:
        panel=f"{FLOW}/panel.parquet",
        summary=f"{FLOW}/summary.parquet",
    log:
        f"results/logs/judge_samples/{FLOW[8:]}.log",
    benchmark:
        f"results/benchmarks/judge_samples/{FLOW[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: judgement_made(w.flow, w.weights, w.width),
        folder=lambda w: zoo_folder(flow_zoo(w)),
        code=code("judge_samples"),
    message:
        "Judging the samples of flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/judge_samples.py"
