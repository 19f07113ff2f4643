# The bridge: zoos of neural ODEs, generated ones, and these tested like trained ones. `nodes` names a zoo of neural ODEs.

TESTED = (
    "panel",
    "runs",
    "ensembles",
    "degrees",
    "functions",
    "fixed_points",
    "unobserved",
)


rule train_bridge:
    output:
        paths.BRIDGE_MEMBERS,
    log:
        paths.log("train_bridge", paths.BRIDGE_MEMBERS),
    benchmark:
        paths.benchmark("train_bridge", paths.BRIDGE_MEMBERS)
    priority: 10
    params:
        p=plan.bridge.params,
        code=plan.code("train_bridge"),
    message:
        "Training zoo {wildcards.nodes} of neural ODEs of {wildcards.system}"
    script:
        "../workflow/scripts/train_bridge.py"


rule fit_bridge:
    input:
        members=lambda w: fill(paths.BRIDGE_MEMBERS, plan.bridge.systems(w)),
    output:
        frame=f"{paths.BRIDGE}/frame.safetensors",
        aligned=f"{paths.BRIDGE}/aligned.safetensors",
        flow=f"{paths.BRIDGE}/flow.safetensors",
        history=f"{paths.BRIDGE}/history.parquet",
        functions=f"{paths.BRIDGE}/functions.safetensors",
        samples=f"{paths.BRIDGE}/samples.safetensors",
        weight_samples=f"{paths.BRIDGE}/weight_samples.safetensors",
    log:
        paths.log("fit_bridge", paths.BRIDGE),
    benchmark:
        paths.benchmark("fit_bridge", paths.BRIDGE)
    priority: 10
    params:
        p=plan.bridge.flow_params,
        code=plan.code("fit_bridge"),
    message:
        "Canonicalizing zoo {wildcards.nodes}, learning from it, generating neural ODEs"
    script:
        "../workflow/scripts/fit_bridge.py"


rule judge_bridge:
    input:
        frame=rules.fit_bridge.output.frame,
        aligned=rules.fit_bridge.output.aligned,
        samples=rules.fit_bridge.output.samples,
        weight_samples=rules.fit_bridge.output.weight_samples,
        edges=lambda w: [*map(edges, plan.bridge.tests(w))],
        truth=lambda w: [*map(trajectories, plan.bridge.tests(w))],
    output:
        **{name: narrow(paths.BRIDGE_TESTS, table=name) for name in TESTED},
    log:
        paths.log("judge_bridge", narrow(paths.BRIDGE_TESTS, table="panel")),
    benchmark:
        paths.benchmark("judge_bridge", narrow(paths.BRIDGE_TESTS, table="panel"))
    priority: 10
    params:
        p=plan.bridge.judgement_params,
        code=plan.code("judge_bridge"),
    message:
        "Testing generated neural ODEs of zoo {wildcards.nodes} on {wildcards.system}"
    script:
        "../workflow/scripts/judge_bridge.py"


rule answer_bridge:
    input:
        runs=table("bridge_runs").path,
        ensembles=table("bridge_ensembles").path,
    output:
        table("bridge_questions").path,
    log:
        paths.log("answer_bridge"),
    benchmark:
        paths.benchmark("answer_bridge")
    params:
        p=plan.bridge.answer_params(),
        code=plan.code("answer_bridge"),
    message:
        "Answering the questions about generated neural ODEs"
    script:
        "../workflow/scripts/answer_bridge.py"
