# Conditional flows: several zoos of one architecture learned together, their names as labels.


rule train_conditional:
    input:
        members=lambda w: plan.conditional_blocks(w.flow, w.weights),
        data=lambda w: plan.conditional_downloads(w.flow),
    output:
        flow="results/conditional/{flow}/{weights}/width~{width}/flow.safetensors",
        history="results/conditional/{flow}/{weights}/width~{width}/history.parquet",
    log:
        "results/logs/train_conditional/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/train_conditional/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.conditional(w.flow, w.weights, w.width),
        folders=lambda w: plan.conditional_folders(w.flow),
        code=plan.code("train_conditional"),
    message:
        "Training conditional flow {wildcards.flow} on {wildcards.weights} weights, width {wildcards.width}"
    script:
        "../workflow/scripts/train_conditional.py"


rule sample_conditional:
    input:
        flow=rules.train_conditional.output.flow,
    output:
        samples="results/conditional/{flow}/{weights}/width~{width}/samples.safetensors",
    log:
        "results/logs/sample_conditional/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/sample_conditional/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.conditional_samples(w.flow, w.weights, w.width),
        code=plan.code("sample_conditional"),
    message:
        "Sampling networks from conditional flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/sample_conditional.py"


rule judge_conditional:
    input:
        samples=rules.sample_conditional.output.samples,
        members=lambda w: plan.conditional_blocks(w.flow, w.weights),
        data=lambda w: plan.conditional_downloads(w.flow),
    output:
        judgement="results/conditional/{flow}/{weights}/width~{width}/judgement.parquet",
        summary="results/conditional/{flow}/{weights}/width~{width}/summary.parquet",
    log:
        "results/logs/judge_conditional/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/judge_conditional/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.conditional_judgement(w.flow, w.weights, w.width),
        folders=lambda w: plan.conditional_folders(w.flow),
        code=plan.code("judge_conditional"),
    message:
        "Judging the samples of conditional flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/judge_conditional.py"
