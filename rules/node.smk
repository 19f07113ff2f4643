# Neural ODEs: all replicates (training graphs x seeds) of a system and training cell train as one
# stacked tensor, and are tested together: on other sizes and structures, at fixed points, with
# nodes that are not observed, and with noise. Variants of the training data are plain, noise~SIGMA
# and covering (initial states up to the hubs' of larger graphs).
NOISE_CELL = Cell(plan.detail_size, *plan.structure_trained)
NOISE_TRAINED = f"trained_beta~{plan.structure_trained[0]}/trained_gamma~{plan.structure_trained[1]}"
SNAPSHOTS = "results/node/models/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.snapshots.safetensors"
MODELS = "results/node/models/{system}/plain/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.safetensors"


rule train_node:
    input:
        edges=lambda w: edges("training", trained(w, plan.training_size)),
        trajectories=lambda w: trajectories(
            "training", w.system, trained(w, plan.training_size)
        ),
        reach=lambda w: (
            [trajectories("test", w.system, trained(w, plan.detail_size))]
            if w.variant == "covering"
            else []
        ),
    output:
        **({"snapshots": SNAPSHOTS} if plan.keeps_snapshots else {}),
        models="results/node/models/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.safetensors",
        history="results/node/models/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.history.parquet",
    log:
        "results/logs/train_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.log",
    benchmark:
        "results/benchmarks/train_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.models(w.system, w.trained_beta, w.trained_gamma, w.variant),
        code=plan.code("train_node"),
    message:
        "Training neural ODEs of {wildcards.system}, {wildcards.variant}, at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/train_node.py"


rule test_node:
    input:
        models=rules.train_node.output.models,
        edges=lambda w: [
            edges("test", cell)
            for cell in plan.tested(w.variant, w.trained_beta, w.trained_gamma)
        ],
        nodes=lambda w: [
            f"results/graphs/test/{cell.path}/nodes.parquet"
            for cell in plan.tested(w.variant, w.trained_beta, w.trained_gamma)
        ],
        truth=lambda w: [
            trajectories("test", w.system, cell)
            for cell in plan.tested(w.variant, w.trained_beta, w.trained_gamma)
        ],
    output:
        errors="results/node/tests/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/errors.parquet",
        runs="results/node/tests/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/runs.parquet",
        by_degree="results/node/tests/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/by_degree.parquet",
    log:
        "results/logs/test_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.log",
    benchmark:
        "results/benchmarks/test_node/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.test(**dict(w.items())),
        code=plan.code("test_node"),
    message:
        "Testing neural ODEs of {wildcards.system}, {wildcards.variant}, trained at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/test_node.py"


rule test_snapshots:
    input:
        models=MODELS,
        snapshots=SNAPSHOTS.replace("{variant}", "plain"),
        edges=lambda w: [
            edges("test", cell)
            for cell in plan.snapshot_cells(w.trained_beta, w.trained_gamma)
        ],
        nodes=lambda w: [
            f"results/graphs/test/{cell.path}/nodes.parquet"
            for cell in plan.snapshot_cells(w.trained_beta, w.trained_gamma)
        ],
        truth=lambda w: [
            trajectories("test", w.system, cell)
            for cell in plan.snapshot_cells(w.trained_beta, w.trained_gamma)
        ],
    output:
        "results/node/snapshots/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.parquet",
    log:
        "results/logs/test_snapshots/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.log",
    benchmark:
        "results/benchmarks/test_snapshots/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.snapshots(w.system, w.trained_beta, w.trained_gamma),
        code=plan.code("test_snapshots"),
    message:
        "Testing neural ODEs of {wildcards.system} over their training at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/test_snapshots.py"


rule examine_node:
    input:
        models=MODELS,
        edges=lambda w: edges("test", trained(w, plan.detail_size)),
        truth=lambda w: trajectories("test", w.system, trained(w, plan.detail_size)),
    output:
        **{
            name: update(
                f"results/node/{name}/{{system}}/trained_beta~{{trained_beta}}/trained_gamma~{{trained_gamma}}.parquet",
            )
            for name in ("fixed_points", "hidden", "functions")
        },
    log:
        "results/logs/examine_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.log",
    benchmark:
        "results/benchmarks/examine_node/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.detail_parts(w.system, w.trained_beta, w.trained_gamma),
        code=plan.code("examine_node"),
    message:
        "Fixed points, unobserved nodes and learned functions: {wildcards.system} at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/examine_node.py"


rule perturb_node:
    input:
        models=f"results/node/models/{{system}}/{{variant}}/{NOISE_TRAINED}.safetensors",
        edges=edges("test", NOISE_CELL),
        truth=lambda w: trajectories("test", w.system, NOISE_CELL),
    output:
        "results/node/noise/{system}/{variant}.parquet",
    log:
        "results/logs/perturb_node/{system}/{variant}.log",
    benchmark:
        "results/benchmarks/perturb_node/{system}/{variant}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.noise(w.system, w.variant),
        code=plan.code("perturb_node"),
    message:
        "Noisy initial states: {wildcards.system}, {wildcards.variant}"
    script:
        "../workflow/scripts/perturb_node.py"
