# Canonicalization: every member is aligned to member 0 of its zoo, or to the zoo's common centre;
# then what it changed.


rule find_universe:
    input:
        members=plan.canonical.learned,
        own=plan.zoos.sources,
    output:
        paths.UNIVERSE,
    log:
        paths.log("find_universe", paths.UNIVERSE),
    benchmark:
        paths.benchmark("find_universe", paths.UNIVERSE)
    params:
        p=plan.canonical.universe_params,
        code=plan.code("find_universe"),
    message:
        "Finding the common centre of zoo {wildcards.zoo}"
    script:
        "../workflow/scripts/find_universe.py"


rule align_zoo:
    input:
        members=narrow(paths.MEMBERS, alignment="raw"),
        own=plan.zoos.sources,
        reference=plan.canonical.reference,
    output:
        members=narrow(paths.MEMBERS, alignment="aligned"),
        report=paths.ALIGNMENT,
    log:
        paths.log("align_zoo", paths.ALIGNMENT),
    benchmark:
        paths.benchmark("align_zoo", paths.ALIGNMENT)
    params:
        p=plan.canonical.alignment_params,
        code=plan.code("align_zoo"),
    message:
        "Aligning zoo {wildcards.zoo}, block {wildcards.block}"
    script:
        "../workflow/scripts/align_zoo.py"


rule measure_barrier:
    input:
        raw=narrow(paths.MEMBERS, alignment="raw", block=0),
        aligned=narrow(paths.MEMBERS, alignment="aligned", block=0),
        data=plan.zoos.data_files,
    output:
        raw=update(narrow(paths.BARRIER, alignment="raw")),
        aligned=update(narrow(paths.BARRIER, alignment="aligned")),
    log:
        paths.log("measure_barrier", paths.ZOO),
    benchmark:
        paths.benchmark("measure_barrier", paths.ZOO)
    params:
        p=plan.canonical.barrier_parts,
        folder=plan.zoos.folder,
        code=plan.code("measure_barrier"),
    message:
        "Loss barriers between members of zoo {wildcards.zoo}, raw and aligned"
    script:
        "../workflow/scripts/measure_barrier.py"
