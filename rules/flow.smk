# Flows over the weights of a zoo, or of several, whose names are labels: train, sample, judge.


rule train_flow:
    input:
        members=plan.flows.members,
        data=plan.flows.data_files,
    output:
        flow=paths.FLOW_WEIGHTS,
        history=paths.FLOW_HISTORY,
    log:
        paths.log("train_flow", paths.FLOW),
    benchmark:
        paths.benchmark("train_flow", paths.FLOW)
    priority: 20
    params:
        p=plan.flows.params,
        folders=plan.flows.folders,
        code=plan.flow_code("train_flow"),
    message:
        "Training flow {wildcards.flow} on {wildcards.alignment} weights, capacity {wildcards.capacity}"
    script:
        "../workflow/scripts/train_flow.py"


rule sample_flow:
    input:
        flow=rules.train_flow.output.flow,
        members=plan.flows.streamed_members,
    output:
        samples=paths.FLOW_SAMPLES,
    log:
        paths.log("sample_flow", paths.FLOW),
    benchmark:
        paths.benchmark("sample_flow", paths.FLOW)
    params:
        p=plan.flows.sample_params,
        code=plan.flow_code("sample_flow"),
    message:
        "Sampling networks from flow {wildcards.flow} ({wildcards.alignment}, capacity {wildcards.capacity})"
    script:
        "../workflow/scripts/sample_flow.py"


rule export_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=plan.exports.members,
        read=plan.exports.read,
        data=plan.flows.data_files,
    output:
        directory(paths.FLOW_CHECKPOINTS),
    log:
        paths.log("export_samples", paths.FLOW),
    benchmark:
        paths.benchmark("export_samples", paths.FLOW)
    params:
        p=plan.exports.params,
        code=plan.code("export_samples"),
    message:
        "Writing networks of flow {wildcards.flow} as checkpoints ({wildcards.alignment}, capacity {wildcards.capacity})"
    script:
        "../workflow/scripts/export_samples.py"


rule judge_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=plan.flows.members,
        data=plan.flows.data_files,
    output:
        panel=paths.FLOW_PANEL,
        summary=paths.FLOW_SUMMARY,
    log:
        paths.log("judge_samples", paths.FLOW),
    benchmark:
        paths.benchmark("judge_samples", paths.FLOW)
    params:
        p=plan.flows.judgement_params,
        folders=plan.flows.folders,
        code=plan.code("judge_samples"),
    message:
        "Judging the samples of flow {wildcards.flow} ({wildcards.alignment}, capacity {wildcards.capacity})"
    script:
        "../workflow/scripts/judge_samples.py"


rule judge_distances:
    input:
        samples=rules.sample_flow.output.samples,
        members=plan.flows.members,
        data=plan.flows.data_files,
    output:
        paths.DISTANCES,
    log:
        paths.log("judge_distances", paths.FLOW),
    benchmark:
        paths.benchmark("judge_distances", paths.FLOW)
    params:
        p=plan.flows.distance_params,
        folders=plan.flows.folders,
        code=plan.code("judge_distances"),
    message:
        "Samples of flow {wildcards.flow} ({wildcards.alignment}, capacity {wildcards.capacity}) at the same distances"
    script:
        "../workflow/scripts/judge_distances.py"


rule transfer_samples:
    input:
        samples=rules.sample_flow.output.samples,
        members=plan.flows.members,
        data=plan.transfers.downloads,
    output:
        paths.TRANSFER,
    log:
        paths.log("transfer_samples", paths.FLOW),
    benchmark:
        paths.benchmark("transfer_samples", paths.FLOW)
    params:
        p=plan.transfers.params,
        own=plan.flows.folders,
        folders=plan.transfers.folders,
        code=plan.code("transfer_samples"),
    message:
        "Transfer of the samples of flow {wildcards.flow} ({wildcards.alignment}, capacity {wildcards.capacity})"
    script:
        "../workflow/scripts/transfer_samples.py"


rule compare_solvers:
    input:
        flow=rules.train_flow.output.flow,
        data=plan.flows.data_files,
    output:
        paths.SOLVERS,
    log:
        paths.log("compare_solvers", paths.FLOW),
    benchmark:
        paths.benchmark("compare_solvers", paths.FLOW)
    params:
        p=plan.flows.solver_params,
        folders=plan.flows.folders,
        code=plan.flow_code("compare_solvers"),
    message:
        "Sampling flow {wildcards.flow} ({wildcards.alignment}, capacity {wildcards.capacity}) in several ways"
    script:
        "../workflow/scripts/compare_solvers.py"
