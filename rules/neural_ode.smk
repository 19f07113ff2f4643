# Neural ODEs: all replicates (training graphs x seeds) of a system and training cell train as one
# stacked tensor. Variants of the training data are plain, noise~SIGMA and covering (initial states up
# to the hubs' of larger graphs). Neural ODEs and laws have the same tests: on other sizes and
# structures, at fixed points, with nodes that are not observed, and with noise. One job tests those
# of all systems.


plain_models = narrow(paths.MODELS, variant="plain")
plain_runs = narrow(paths.RUNS, learned="neural_ode", variant="plain")


rule train_neural_ode:
    input:
        edges=lambda w: edges(plan.neural_ode.learned(w)),
        trajectories=lambda w: trajectories(plan.neural_ode.learned(w)),
        reach=lambda w: [*map(trajectories, plan.neural_ode.reached(w))],
    output:
        **({"snapshots": paths.SNAPSHOTS} if plan.neural_ode.keeps_snapshots else {}),
        models=paths.MODELS,
        history=paths.HISTORY,
    log:
        paths.log("train_neural_ode", paths.MODELS),
    benchmark:
        paths.benchmark("train_neural_ode", paths.MODELS)
    priority: 10
    params:
        p=plan.neural_ode.params,
        code=plan.code("train_neural_ode"),
    message:
        "Training neural ODEs of {wildcards.system}, {wildcards.variant}, at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/train_neural_ode.py"


rule evaluate_snapshots:
    input:
        models=plain_models,
        snapshots=narrow(paths.SNAPSHOTS, variant="plain"),
        edges=lambda w: [*map(edges, plan.experiments.snapshots_tested(w))],
        nodes=lambda w: fill(paths.NODES, plan.experiments.snapshots_tested(w)),
        truth=lambda w: [*map(trajectories, plan.experiments.snapshots_tested(w))],
    output:
        paths.OVER_TRAINING,
    log:
        paths.log("evaluate_snapshots", paths.OVER_TRAINING),
    benchmark:
        paths.benchmark("evaluate_snapshots", paths.OVER_TRAINING)
    params:
        p=plan.experiments.snapshot_params,
        code=plan.code("evaluate_snapshots"),
    message:
        "Testing neural ODEs of {wildcards.system} over their training at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/evaluate_snapshots.py"


rule evaluate_rewired:
    input:
        models=lambda w: fill(plain_models, plan.dynamics.each(w)),
        runs=lambda w: fill(plain_runs, plan.dynamics.each(w)),
        edges=fill(paths.EDGES, plan.graphs.structure),
        nodes=fill(paths.NODES, plan.graphs.structure),
    output:
        of_every_system(paths.REWIRED),
    log:
        paths.log("evaluate_rewired", narrow(paths.REWIRED, system="all")),
    benchmark:
        paths.benchmark("evaluate_rewired", narrow(paths.REWIRED, system="all"))
    priority: 10
    params:
        p=plan.rewired.parts,
        code=plan.code("evaluate_rewired"),
    message:
        "Testing neural ODEs of all systems on graphs without clustering at gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/evaluate_rewired.py"


for tests in (plan.experiments, plan.law_experiments, plan.tail_experiments):
    learned, name = tests.models.folder, tests.models.title
    runs, hidden, noise = (
        narrow(x, learned=learned, system="all")
        for x in (paths.RUNS, paths.HIDDEN, paths.NOISE)
    )

    rule:
        name:
            f"evaluate_{learned}"
        input:
            models=lambda w, tests=tests: learned_files(tests, w),
            edges=lambda w, tests=tests: [*map(edges, tests.graphs_tested(w))],
            nodes=lambda w, tests=tests: fill(paths.NODES, tests.graphs_tested(w)),
            truth=lambda w, tests=tests: [*map(trajectories, tests.truths(w))],
            training_edges=lambda w, tests=tests: [*map(edges, tests.known(w)[:1])],
            training=lambda w, tests=tests: [*map(trajectories, tests.known(w))],
        output:
            errors=of_every_system(narrow(paths.ERRORS, learned=learned)),
            runs=of_every_system(narrow(paths.RUNS, learned=learned)),
            by_degree=of_every_system(narrow(paths.BY_DEGREE, learned=learned)),
            trust=of_every_system(narrow(paths.TRUST, learned=learned)),
        log:
            paths.log(f"evaluate_{learned}", runs),
        benchmark:
            paths.benchmark(f"evaluate_{learned}", runs)
        priority: 10
        params:
            p=tests.test_parts,
            stored=lambda w, tests=tests: [
                plan.dynamics.is_stored(row) for row in tests.graphs_tested(w)
            ],
            code=tests.testing,
        message:
            f"Testing {name} of all systems, {{wildcards.variant}}, trained at beta = {{wildcards.trained_beta}}, gamma = {{wildcards.trained_gamma}}"
        script:
            "../workflow/scripts/evaluate_learned.py"

    rule:
        name:
            f"examine_{learned}"
        input:
            models=lambda w, tests=tests: learned_files(
                tests, {**w, "variant": "plain"}
            ),
            edges=lambda w, tests=tests: edges(tests.graphs_detailed(w)),
            truth=lambda w, tests=tests: [
                trajectories(tests.detailed(row)) for row in plan.dynamics.each(w)
            ],
        output:
            fixed_points=of_every_system(narrow(paths.FIXED_POINTS, learned=learned)),
            hidden=of_every_system(narrow(paths.HIDDEN, learned=learned)),
            functions=of_every_system(narrow(paths.FUNCTIONS, learned=learned)),
        log:
            paths.log(f"examine_{learned}", hidden),
        benchmark:
            paths.benchmark(f"examine_{learned}", hidden)
        priority: 10
        params:
            p=tests.detail_parts,
            code=tests.examining,
        message:
            f"Fixed points, unobserved nodes and functions of {name} of all systems at gamma = {{wildcards.trained_gamma}}"
        script:
            "../workflow/scripts/examine_learned.py"

    rule:
        name:
            f"perturb_{learned}"
        input:
            models=lambda w, tests=tests: learned_files(tests, tests.noisy(w)),
            edges=lambda w, tests=tests: edges(tests.graphs_detailed(tests.noisy(w))),
            truth=lambda w, tests=tests: [
                trajectories(tests.detailed(row))
                for row in plan.dynamics.each(tests.noisy(w))
            ],
        output:
            of_every_system(narrow(paths.NOISE, learned=learned)),
        log:
            paths.log(f"perturb_{learned}", noise),
        benchmark:
            paths.benchmark(f"perturb_{learned}", noise)
        params:
            p=tests.noise_parts,
            code=tests.perturbing,
        message:
            f"Noisy initial states of all systems for {name}, {{wildcards.variant}}"
        script:
            "../workflow/scripts/perturb_learned.py"
