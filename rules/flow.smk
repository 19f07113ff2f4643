# Flow matching over the weights of a zoo: train, sample, and judge the samples.


rule train_flow:
    input:
        members=lambda w: plan.over_blocks(
            "results/zoo/{zoo}/{weights}/block~{block}.safetensors",
            plan.flow_zoo(w.flow),
            w.weights,
        ),
        data=lambda w: plan.downloads(plan.flow_zoo(w.flow)),
    output:
        flow="results/flow/{flow}/{weights}/width~{width}/flow.safetensors",
        history="results/flow/{flow}/{weights}/width~{width}/history.parquet",
    log:
        "results/logs/train_flow/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/train_flow/{flow}/{weights}/width~{width}.tsv"
    priority: 20
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.flow(w.flow, w.weights, w.width),
        folder=lambda w: plan.folder(plan.flow_zoo(w.flow)),
        code=plan.code("train_flow"),
    message:
        "Training flow {wildcards.flow} on {wildcards.weights} weights, width {wildcards.width}"
    script:
        "../workflow/scripts/train_flow.py"


rule sample_flow:
    input:
        flow=rules.train_flow.output.flow,
        members=lambda w: plan.streamed_blocks(w.flow, w.weights),
    output:
        samples="results/flow/{flow}/{weights}/width~{width}/samples.safetensors",
    log:
        "results/logs/sample_flow/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/sample_flow/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.samples(w.flow, w.weights, w.width),
        code=plan.code("sample_flow"),
    message:
        "Sampling networks from flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/sample_flow.py"


rule judge_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=lambda w: plan.over_blocks(
            "results/zoo/{zoo}/{weights}/block~{block}.safetensors",
            plan.flow_zoo(w.flow),
            w.weights,
        ),
        data=lambda w: plan.downloads(plan.flow_zoo(w.flow)),
    output:
        panel="results/flow/{flow}/{weights}/width~{width}/panel.parquet",
        summary="results/flow/{flow}/{weights}/width~{width}/summary.parquet",
    log:
        "results/logs/judge_samples/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/judge_samples/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.judgement(w.flow, w.weights, w.width),
        folder=lambda w: plan.folder(plan.flow_zoo(w.flow)),
        code=plan.code("judge_samples"),
    message:
        "Judging the samples of flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/judge_samples.py"


rule transfer_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=lambda w: plan.over_blocks(
            "results/zoo/{zoo}/{weights}/block~{block}.safetensors",
            plan.flow_zoo(w.flow),
            w.weights,
        ),
        data=lambda w: plan.transfer_downloads(w.flow),
    output:
        "results/flow/{flow}/{weights}/width~{width}/transfer.parquet",
    log:
        "results/logs/transfer_samples/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/transfer_samples/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.transfer(w.flow, w.weights, w.width),
        folder=lambda w: plan.folder(plan.flow_zoo(w.flow)),
        folders=lambda w: plan.transfer_folders(w.flow),
        code=plan.code("transfer_samples"),
    message:
        "Transfer of the samples of flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/transfer_samples.py"


rule compare_solvers:
    input:
        flow=rules.train_flow.output.flow,
        data=lambda w: plan.downloads(plan.flow_zoo(w.flow)),
    output:
        "results/flow/{flow}/{weights}/width~{width}/solvers.parquet",
    log:
        "results/logs/compare_solvers/{flow}/{weights}/width~{width}.log",
    benchmark:
        "results/benchmarks/compare_solvers/{flow}/{weights}/width~{width}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.solvers(w.flow, w.weights, w.width),
        folder=lambda w: plan.folder(plan.flow_zoo(w.flow)),
        code=plan.code("compare_solvers"),
    message:
        "Sampling flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width}) in several ways"
    script:
        "../workflow/scripts/compare_solvers.py"
