# Canonicalization: every member is aligned to member 0 of its zoo; then what it changed.


rule align_zoo:
    input:
        members=rules.train_zoo.output.members,
        reference="results/zoo/{zoo}/raw/block~0.safetensors",
    output:
        members="results/zoo/{zoo}/aligned/block~{block}.safetensors",
        report="results/zoo/{zoo}/aligned/block~{block}.alignment.parquet",
    log:
        "results/logs/align_zoo/{zoo}/aligned/block~{block}.log",
    benchmark:
        "results/benchmarks/align_zoo/{zoo}/aligned/block~{block}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.alignment(w.zoo, w.block),
        code=plan.code("align_zoo"),
    message:
        "Aligning zoo {wildcards.zoo}, block {wildcards.block}, to its first member"
    script:
        "../workflow/scripts/align_zoo.py"


rule measure_barrier:
    input:
        members="results/zoo/{zoo}/{weights}/block~0.safetensors",
        data=lambda w: plan.downloads(w.zoo),
    output:
        "results/zoo/{zoo}/{weights}/barrier.parquet",
    log:
        "results/logs/measure_barrier/{zoo}/{weights}.log",
    benchmark:
        "results/benchmarks/measure_barrier/{zoo}/{weights}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.barrier(w.zoo, w.weights),
        folder=lambda w: plan.folder(w.zoo),
        code=plan.code("measure_barrier"),
    message:
        "Loss barrier between {wildcards.weights} members of zoo {wildcards.zoo}"
    script:
        "../workflow/scripts/measure_barrier.py"
