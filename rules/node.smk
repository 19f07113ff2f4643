# Neural ODEs: all replicates (training graphs x seeds) of a system and training cell train as one
# stacked tensor, and are tested together: on other sizes and structures, at fixed points, with
# nodes that are not observed, and with noise. Variants of the training data are plain, noise~SIGMA
# and covering (initial states up to the hubs' of larger graphs).
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
        models=rules.train_node.output.models,
        edges=lambda w: [*map(edges, plan.experiments.tested(w))],
        nodes=lambda w: fill(paths.NODES, plan.experiments.tested(w)),
        truth=lambda w: [*map(trajectories, plan.experiments.tested(w))],
        training_edges=lambda w: [*map(edges, plan.experiments.evidence(w))],
        training=lambda w: [*map(trajectories, plan.experiments.evidence(w))],
    output:
        errors=paths.ERRORS,
        runs=paths.RUNS,
        by_degree=paths.BY_DEGREE,
        trust=paths.TRUST,
    log:
        paths.log("test_node", paths.RUNS),
    benchmark:
        paths.benchmark("test_node", paths.RUNS)
    priority: 10
    params:
        p=plan.experiments.test_params,
        code=plan.code("test_node"),
    message:
        "Testing neural ODEs of {wildcards.system}, {wildcards.variant}, trained at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
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
        models=PLAIN_MODELS,
        edges=lambda w: edges(plan.experiments.detailed(w)),
        truth=lambda w: trajectories(plan.experiments.detailed(w)),
    output:
        fixed_points=update(paths.FIXED_POINTS),
        hidden=update(paths.HIDDEN),
        functions=update(paths.FUNCTIONS),
    log:
        paths.log("examine_node", paths.HIDDEN),
    benchmark:
        paths.benchmark("examine_node", paths.HIDDEN)
    priority: 10
    params:
        p=plan.experiments.detail_parts,
        code=plan.code("examine_node"),
    message:
        "Fixed points, unobserved nodes and learned functions: {wildcards.system} at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/examine_node.py"


rule perturb_node:
    input:
        models=lambda w: narrow(paths.MODELS, **plan.experiments.noisy(w)),
        edges=lambda w: edges(plan.experiments.detailed(plan.experiments.noisy(w))),
        truth=lambda w: trajectories(
            plan.experiments.detailed(plan.experiments.noisy(w))
        ),
    output:
        paths.NOISE,
    log:
        paths.log("perturb_node", paths.NOISE),
    benchmark:
        paths.benchmark("perturb_node", paths.NOISE)
    params:
        p=plan.experiments.noise_params,
        code=plan.code("perturb_node"),
    message:
        "Noisy initial states: {wildcards.system}, {wildcards.variant}"
    script:
        "../workflow/scripts/perturb_node.py"
