# Neural ODEs: all replicates (training graphs x seeds) of a system and training cell train as one
# stacked tensor; all of them are then tested on every graph of every test cell.
TRAINING_CELL = f"N~{plan.training_size}/beta~{{trained_beta}}/gamma~{{trained_gamma}}"


rule train_node:
    input:
        edges=f"results/graphs/training/{TRAINING_CELL}/edges.parquet",
        trajectories=f"results/trajectories/training/{{system}}/{TRAINING_CELL}.parquet",
    output:
        models="results/node/models/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.safetensors",
        history="results/node/models/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.history.parquet",
    log:
        "results/logs/train_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.log",
    benchmark:
        "results/benchmarks/train_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.models(w.system, w.trained_beta, w.trained_gamma),
        code=plan.code("train_node"),
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
        errors="results/node/tests/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/N~{N}/beta~{beta}/gamma~{gamma}/errors.parquet",
        runs="results/node/tests/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/N~{N}/beta~{beta}/gamma~{gamma}/runs.parquet",
    log:
        "results/logs/test_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/N~{N}/beta~{beta}/gamma~{gamma}.log",
    benchmark:
        "results/benchmarks/test_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/N~{N}/beta~{beta}/gamma~{gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.test(**dict(w.items())),
        code=plan.code("test_node"),
    message:
        "Testing {wildcards.system} (trained at gamma = {wildcards.trained_gamma}) on N = {wildcards.N}, beta = {wildcards.beta}, gamma = {wildcards.gamma}"
    script:
        "../workflow/scripts/test_node.py"
