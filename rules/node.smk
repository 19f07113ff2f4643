# Neural ODEs: all replicates (training graphs x seeds) of a system and cell train as one stacked
# tensor; all of them are then tested on every graph of every test cell.
TRAINING_N = config["graphs"]["training"]["size"]
TRAINING_CELL = f"N~{TRAINING_N}/beta~{{trained_beta}}/gamma~{{trained_gamma}}"
MODEL = "results/node/models/{system}/beta~{trained_beta}/gamma~{trained_gamma}"
TESTED = (
    "results/node/tests/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}"
    "/N~{N}/beta~{beta}/gamma~{gamma}"
)


def models_made(system, trained_beta, trained_gamma):
    """What makes the models of a system and a training cell what they are."""
    settings = config["node"]
    return {
        "system": system,
        "trained_beta": float(trained_beta),
        "trained_gamma": float(trained_gamma),
        "seeds": settings["seeds"],
        "recipe": settings["recipe"],
        "settings": settings[settings["recipe"]],
        "device": config["device"],
        "seed": config["seed"],
        "from": trajectories_made(
            "training", system, TRAINING_N, trained_beta, trained_gamma
        ),
    }


def tests_made(system, trained_beta, trained_gamma, N, beta, gamma):
    """What makes the test of a training cell's models on a test cell what it is."""
    return {
        "system": system,
        "trained_beta": float(trained_beta),
        "trained_gamma": float(trained_gamma),
        "N": int(N),
        "beta": float(beta),
        "gamma": float(gamma),
        "models": models_made(system, trained_beta, trained_gamma),
        "truth": trajectories_made("test", system, N, beta, gamma),
    }


rule train_node:
    input:
        edges=f"results/graphs/training/{TRAINING_CELL}/edges.parquet",
        trajectories=f"results/trajectories/training/{{system}}/{TRAINING_CELL}.parquet",
    output:
        models=f"{MODEL}.safetensors",
        history=f"{MODEL}.history.parquet",
    log:
        f"results/logs/train_node/{MODEL[8:]}.log",
    benchmark:
        f"results/benchmarks/train_node/{MODEL[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: models_made(w.system, w.trained_beta, w.trained_gamma),
        code=code("train_node"),
    message:
        "Training neural ODEs of {wildcards.system} at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/train_node.py"


rule test_node:
    input:
        models=rules.train_node.output.models,
        edges="results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/edges.parquet",
        nodes="results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/nodes.parquet",
        truth="results/trajectories/test/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet",
    output:
        errors=f"{TESTED}/errors.parquet",
        runs=f"{TESTED}/runs.parquet",
    log:
        f"results/logs/test_node/{TESTED[8:]}.log",
    benchmark:
        f"results/benchmarks/test_node/{TESTED[8:]}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: tests_made(
            w.system, w.trained_beta, w.trained_gamma, w.N, w.beta, w.gamma
        ),
        code=code("test_node"),
    message:
        "Testing {wildcards.system} models (gamma = {wildcards.trained_gamma}) on N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/test_node.py"
