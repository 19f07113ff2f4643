# Networks and series of the user's own: checked, learned by an ensemble, forecast where they were
# held out, and told in words. What can be said of the files at once is said before the first job.
if workflow.is_main_process:
    try:
        plan.own.check()
    except Problem as problem:
        raise WorkflowError(str(problem)) from None


rule check_own:
    input:
        plan.own.files,
    output:
        series=table("own_series").path,
        nodes=table("own_nodes").path,
        measures=table("own_measures").path,
        notes=table("own_notes").path,
    log:
        paths.log("check_own", paths.OWN),
    benchmark:
        paths.benchmark("check_own", paths.OWN)
    params:
        p=plan.own.check_params,
        code=plan.code("check_own"),
    message:
        "Checking the network and the series of {wildcards.own}"
    script:
        "../workflow/scripts/check_own.py"


rule train_own:
    input:
        plan.own.training_files,
    output:
        paths.OWN_ENSEMBLE,
    log:
        paths.log("train_own", paths.OWN),
    benchmark:
        paths.benchmark("train_own", paths.OWN)
    priority: 10
    params:
        p=plan.own.training_params,
        code=plan.code("train_own"),
    message:
        "Training an ensemble on the series of {wildcards.own}"
    script:
        "../workflow/scripts/train_own.py"


rule discover_own:
    input:
        plan.own.files,
    output:
        paths.OWN_LAW,
    log:
        paths.log("discover_own", paths.OWN),
    benchmark:
        paths.benchmark("discover_own", paths.OWN)
    params:
        p=plan.own.law_params,
        code=plan.code("discover_own"),
    message:
        "Finding the law behind the series of {wildcards.own}"
    script:
        "../workflow/scripts/discover_own.py"


rule forecast_own:
    input:
        plan.own.files,
        ensemble=rules.train_own.output[0],
    output:
        forecasts=table("own_forecasts").path,
        errors=table("own_errors").path,
        functions=table("own_functions").path,
        told=table("own_told").path,
    log:
        paths.log("forecast_own", paths.OWN),
    benchmark:
        paths.benchmark("forecast_own", paths.OWN)
    params:
        p=plan.own.forecast_params,
        code=plan.code("forecast_own"),
    message:
        "Forecasting what was held out of the series of {wildcards.own}"
    script:
        "../workflow/scripts/forecast_own.py"


rule report_own:
    input:
        measures=table("own_measures").path,
        notes=table("own_notes").path,
        errors=table("own_errors").path,
        told=table("own_told").path,
        pictures=[*PICTURES.values()],
        law=plan.own.laws,
    output:
        report(
            paths.OWN_PAGE,
            caption="../workflow/report/own_page.rst",
            category=QUESTIONS["own"].text,
            labels={"figure": "What follows from it, in words", "own": "{own}"},
        ),
    log:
        paths.log("report_own", paths.OWN),
    benchmark:
        paths.benchmark("report_own", paths.OWN)
    params:
        p=plan.own.page_params,
        code=plan.code("report_own"),
    message:
        "Writing the page on {wildcards.own}"
    script:
        "../workflow/scripts/report_own.py"
