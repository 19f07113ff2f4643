# Canonicalization: every member is aligned to member 0 of its zoo, or to the zoo's common centre;
# then what it changed.


rule find_universe:
    input:
        members=lambda w: [
            f"results/zoo/{w.zoo}/raw/block~{block}.safetensors"
            for block in plan.learned_blocks(w.zoo)
        ],
    output:
        "results/zoo/{zoo}/universe.safetensors",
    log:
        "results/logs/find_universe/{zoo}.log",
    benchmark:
        "results/benchmarks/find_universe/{zoo}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.universe(w.zoo),
        code=plan.code("find_universe"),
    message:
        "Finding the common centre of zoo {wildcards.zoo}"
    script:
        "../workflow/scripts/find_universe.py"


rule align_zoo:
    input:
        members=rules.train_zoo.output.members,
        reference=lambda w: plan.reference_file(w.zoo),
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
        "Aligning zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/align_zoo.py"


rule measure_barrier:
    input:
        raw="results/zoo/{zoo}/raw/block~0.safetensors",
        aligned="results/zoo/{zoo}/aligned/block~0.safetensors",
        data=lambda w: plan.downloads(w.zoo),
    output:
        raw=update("results/zoo/{zoo}/raw/barrier.parquet"),
        aligned=update("results/zoo/{zoo}/aligned/barrier.parquet"),
    log:
        "results/logs/measure_barrier/{zoo}.log",
    benchmark:
        "results/benchmarks/measure_barrier/{zoo}.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.barrier_parts(w.zoo),
        folder=lambda w: plan.folder(w.zoo),
        code=plan.code("measure_barrier"),
    message:
        "Loss barriers between members of zoo {wildcards.zoo}, raw and aligned"
    script:
        "../workflow/scripts/measure_barrier.py"
