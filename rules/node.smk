# Neural ODEs: all replicates (training graphs x seeds) of a system and training cell train as one
# stacked tensor. Those of all systems are tested in one job: on other sizes and structures, at fixed
# points, with nodes that are not observed, and with noise. Variants of the training data are plain,
# noise~SIGMA and covering (initial states up to the hubs' of larger graphs).
PLAIN_MODELS = narrow(paths.MODELS, variant="plain")


rule train_node:
    input:
        edges=lambda w: edges(plan.node.learned(w)),
        trajectories=lambda w: trajectories(plan.node.learned(w)),
        reach=lambda w: [*map(trajectories, plan.node.reached(w))],
    output:
        **({"snapshots": paths.SNAPSHOTS} if plan.node.keeps_snapshots else {}),
        models=paths.MODELS,
        history=paths.HISTORY,
    log:
        paths.log("train_node", paths.MODELS),
    benchmark:
        paths.benchmark("train_node", paths.MODELS)
    priority: 10
    params:
        p=plan.node.params,
        code=plan.code("train_node"),
    message:
        "Training neural ODEs of {wildcards.system}, {wildcards.variant}, at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/train_node.py"


rule test_node:
    input:
        models=lambda w: fill(paths.MODELS, plan.dynamics.each(w)),
        edges=lambda w: [*map(edges, plan.experiments.graphs_tested(w))],
        nodes=lambda w: fill(paths.NODES, plan.experiments.graphs_tested(w)),
        truth=lambda w: [
            trajectories(row)
            for system in plan.dynamics.each(w)
            for row in plan.experiments.tested(system)
        ],
        training_edges=lambda w: [
            edges(row)
            for system in plan.dynamics.each(w)[:1]
            for row in plan.experiments.evidence(system)
        ],
        training=lambda w: [
            trajectories(row)
            for system in plan.dynamics.each(w)
            for row in plan.experiments.evidence(system)
        ],
    output:
        errors=of_every_system(paths.ERRORS),
        runs=of_every_system(paths.RUNS),
        by_degree=of_every_system(paths.BY_DEGREE),
        trust=of_every_system(paths.TRUST),
    log:
        paths.log("test_node", narrow(paths.RUNS, system="all")),
    benchmark:
        paths.benchmark("test_node", narrow(paths.RUNS, system="all"))
    priority: 10
    params:
        p=plan.experiments.test_parts,
        code=plan.code("test_node"),
    message:
        "Testing neural ODEs of all systems, {wildcards.variant}, trained at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/test_node.py"


rule test_snapshots:
    input:
        models=PLAIN_MODELS,
        snapshots=narrow(paths.SNAPSHOTS, variant="plain"),
        edges=lambda w: [*map(edges, plan.experiments.snapshots_tested(w))],
        nodes=lambda w: fill(paths.NODES, plan.experiments.snapshots_tested(w)),
        truth=lambda w: [*map(trajectories, plan.experiments.snapshots_tested(w))],
    output:
        paths.OVER_TRAINING,
    log:
        paths.log("test_snapshots", paths.OVER_TRAINING),
    benchmark:
        paths.benchmark("test_snapshots", paths.OVER_TRAINING)
    params:
        p=plan.experiments.snapshot_params,
        code=plan.code("test_snapshots"),
    message:
        "Testing neural ODEs of {wildcards.system} over their training at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/test_snapshots.py"


rule examine_node:
    input:
        models=lambda w: fill(PLAIN_MODELS, plan.dynamics.each(w)),
        edges=lambda w: edges(plan.experiments.graphs_detailed(w)),
        truth=lambda w: [
            trajectories(plan.experiments.detailed(row))
            for row in plan.dynamics.each(w)
        ],
    output:
        fixed_points=of_every_system(paths.FIXED_POINTS),
        hidden=of_every_system(paths.HIDDEN),
        functions=of_every_system(paths.FUNCTIONS),
    log:
        paths.log("examine_node", narrow(paths.HIDDEN, system="all")),
    benchmark:
        paths.benchmark("examine_node", narrow(paths.HIDDEN, system="all"))
    priority: 10
    params:
        p=plan.experiments.detail_parts,
        code=plan.code("examine_node"),
    message:
        "Fixed points, unobserved nodes and learned functions of all systems at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/examine_node.py"


rule perturb_node:
    input:
        models=lambda w: fill(
            paths.MODELS, plan.dynamics.each(plan.experiments.noisy(w))
        ),
        edges=lambda w: edges(
            plan.experiments.graphs_detailed(plan.experiments.noisy(w))
        ),
        truth=lambda w: [
            trajectories(plan.experiments.detailed(row))
            for row in plan.dynamics.each(plan.experiments.noisy(w))
        ],
    output:
        of_every_system(paths.NOISE),
    log:
        paths.log("perturb_node", narrow(paths.NOISE, system="all")),
    benchmark:
        paths.benchmark("perturb_node", narrow(paths.NOISE, system="all"))
    params:
        p=plan.experiments.noise_parts,
        code=plan.code("perturb_node"),
    message:
        "Noisy initial states of all systems, {wildcards.variant}"
    script:
        "../workflow/scripts/perturb_node.py"
