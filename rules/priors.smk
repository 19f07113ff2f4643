# Priors: a zoo of neural ODEs of each family of systems, the prior that it makes, and what coefficients
# or a few frames of new systems say with it. A family is a system with ranges of its coefficients;
# strangers mix the functions of families, and nothing is learned of them.

ASKED = ("runs", "fits", "fixed_points", "hidden", "ensembles", "functions", "panel")


rule train_prior_zoo:
    output:
        paths.PRIOR_ZOO,
    log:
        paths.log("train_prior_zoo", paths.PRIOR_ZOO),
    benchmark:
        paths.benchmark("train_prior_zoo", paths.PRIOR_ZOO)
    priority: 10
    params:
        p=plan.priors.params,
        code=plan.code("train_prior_zoo"),
    message:
        "Training neural ODEs of the family {wildcards.family}"
    script:
        "../workflow/scripts/train_prior_zoo.py"


rule fit_prior:
    input:
        paths.PRIOR_ZOO,
    output:
        paths.PRIOR,
    log:
        paths.log("fit_prior", paths.PRIOR),
    benchmark:
        paths.benchmark("fit_prior", paths.PRIOR)
    priority: 10
    params:
        p=plan.priors.prior_params,
        code=plan.code("fit_prior"),
    message:
        "Fitting a prior to the functions of the family {wildcards.family}"
    script:
        "../workflow/scripts/fit_prior.py"


rule evaluate_prior:
    input:
        zoos=fill(paths.PRIOR_ZOO, plan.priors.families),
        priors=fill(paths.PRIOR, plan.priors.families),
        edges=lambda w: [*map(edges, plan.priors.tests)],
        nodes=fill(paths.NODES, plan.priors.tests),
    output:
        **{name: narrow(paths.PRIOR_TABLE, table=name) for name in ASKED},
    log:
        paths.log("evaluate_prior", narrow(paths.PRIOR_TABLE, table="runs")),
    benchmark:
        paths.benchmark("evaluate_prior", narrow(paths.PRIOR_TABLE, table="runs"))
    priority: 10
    params:
        p=plan.priors.trial_params,
        code=plan.code("evaluate_prior"),
    message:
        "Testing what priors make of {wildcards.family}"
    script:
        "../workflow/scripts/evaluate_prior.py"


rule judge_priors:
    input:
        runs=table("prior_runs").path,
        fits=table("prior_fits").path,
        ensembles=table("prior_ensembles").path,
        panel=table("prior_panel").path,
    output:
        table("prior_claims").path,
    log:
        paths.log("judge_priors"),
    benchmark:
        paths.benchmark("judge_priors")
    params:
        p=plan.priors.claim_params(),
        code=plan.code("judge_priors"),
    message:
        "Judging what priors were to reach"
    script:
        "../workflow/scripts/judge_priors.py"
