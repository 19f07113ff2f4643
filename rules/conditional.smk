# Conditional flows: several zoos of one architecture learned together, their names as labels.


rule train_conditional:
    input:
        members=plan.conditional.members,
        data=plan.conditional.downloads,
    output:
        flow=paths.CONDITIONAL_WEIGHTS,
        history=paths.CONDITIONAL_HISTORY,
    log:
        paths.log("train_conditional", paths.CONDITIONAL),
    benchmark:
        paths.benchmark("train_conditional", paths.CONDITIONAL)
    params:
        p=plan.conditional.params,
        folders=plan.conditional.folders,
        code=plan.code("train_conditional"),
    message:
        "Training conditional flow {wildcards.flow} on {wildcards.weights} weights, width {wildcards.width}"
    script:
        "../workflow/scripts/train_conditional.py"


rule sample_conditional:
    input:
        flow=rules.train_conditional.output.flow,
    output:
        samples=paths.CONDITIONAL_SAMPLES,
    log:
        paths.log("sample_conditional", paths.CONDITIONAL),
    benchmark:
        paths.benchmark("sample_conditional", paths.CONDITIONAL)
    params:
        p=plan.conditional.sample_params,
        code=plan.code("sample_conditional"),
    message:
        "Sampling networks from conditional flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/sample_conditional.py"


rule judge_conditional:
    input:
        samples=rules.sample_conditional.output.samples,
        members=plan.conditional.members,
        data=plan.conditional.downloads,
    output:
        judgement=paths.CONDITIONAL_JUDGEMENT,
        summary=paths.CONDITIONAL_SUMMARY,
    log:
        paths.log("judge_conditional", paths.CONDITIONAL),
    benchmark:
        paths.benchmark("judge_conditional", paths.CONDITIONAL)
    params:
        p=plan.conditional.judgement_params,
        folders=plan.conditional.folders,
        code=plan.code("judge_conditional"),
    message:
        "Judging the samples of conditional flow {wildcards.flow} ({wildcards.weights}, width {wildcards.width})"
    script:
        "../workflow/scripts/judge_conditional.py"
