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
