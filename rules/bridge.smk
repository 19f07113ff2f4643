# The bridge: zoos of neural ODEs, generated ones, and these tested like trained ones. `nodes` names a zoo of neural ODEs.


rule train_bridge:
    output:
        "results/bridge/{nodes}/members/{system}.safetensors",
    log:
        "results/logs/train_bridge/{nodes}/{system}.log",
    benchmark:
        "results/benchmarks/train_bridge/{nodes}/{system}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.bridge_members(w.nodes, w.system),
        code=plan.code("train_bridge"),
    message:
        "Training zoo {wildcards.nodes} of neural ODEs of {wildcards.system}"
    script:
        "../workflow/scripts/train_bridge.py"


rule fit_bridge:
    input:
        members=lambda w: expand(
            "results/bridge/{nodes}/members/{system}.safetensors",
            nodes=w.nodes,
            system=plan.bridge_systems(w.nodes),
        ),
    output:
        frame="results/bridge/{nodes}/frame.safetensors",
        aligned="results/bridge/{nodes}/aligned.safetensors",
        flow="results/bridge/{nodes}/flow.safetensors",
        history="results/bridge/{nodes}/history.parquet",
        functions="results/bridge/{nodes}/functions.safetensors",
        samples="results/bridge/{nodes}/samples.safetensors",
        weight_samples="results/bridge/{nodes}/weight_samples.safetensors",
    log:
        "results/logs/fit_bridge/{nodes}.log",
    benchmark:
        "results/benchmarks/fit_bridge/{nodes}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.bridge_flow(w.nodes),
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
        edges=lambda w: [edges("test", cell) for cell in plan.bridge_tests(w.nodes)],
        truth=lambda w: [
            trajectories("test", w.system, cell) for cell in plan.bridge_tests(w.nodes)
        ],
    output:
        panel="results/bridge/{nodes}/{system}/panel.parquet",
        runs="results/bridge/{nodes}/{system}/runs.parquet",
        ensembles="results/bridge/{nodes}/{system}/ensembles.parquet",
        degrees="results/bridge/{nodes}/{system}/degrees.parquet",
        functions="results/bridge/{nodes}/{system}/functions.parquet",
        fixed_points="results/bridge/{nodes}/{system}/fixed_points.parquet",
        unobserved="results/bridge/{nodes}/{system}/unobserved.parquet",
    log:
        "results/logs/judge_bridge/{nodes}/{system}.log",
    benchmark:
        "results/benchmarks/judge_bridge/{nodes}/{system}.tsv"
    priority: 10
    conda:
        "../envs/environment.yaml"
    params:
        p=lambda w: plan.bridge_judgement(w.nodes, w.system),
        code=plan.code("judge_bridge"),
    message:
        "Testing generated neural ODEs of zoo {wildcards.nodes} on {wildcards.system}"
    script:
        "../workflow/scripts/judge_bridge.py"


rule answer_bridge:
    input:
        panel=plan.over_bridges("results/bridge/{nodes}/{system}/panel.parquet"),
        runs=plan.over_bridges("results/bridge/{nodes}/{system}/runs.parquet"),
        ensembles=plan.over_bridges("results/bridge/{nodes}/{system}/ensembles.parquet"),
        degrees=plan.over_bridges("results/bridge/{nodes}/{system}/degrees.parquet"),
        functions=plan.over_bridges("results/bridge/{nodes}/{system}/functions.parquet"),
        fixed_points=plan.over_bridges(
            "results/bridge/{nodes}/{system}/fixed_points.parquet"
        ),
        unobserved=plan.over_bridges(
            "results/bridge/{nodes}/{system}/unobserved.parquet"
        ),
    output:
        panel="results/tables/bridge_panel.parquet",
        runs="results/tables/bridge_runs.parquet",
        ensembles="results/tables/bridge_ensembles.parquet",
        degrees="results/tables/bridge_degrees.parquet",
        functions="results/tables/bridge_functions.parquet",
        fixed_points="results/tables/bridge_fixed_points.parquet",
        unobserved="results/tables/bridge_unobserved.parquet",
        questions="results/tables/bridge_questions.parquet",
    log:
        "results/logs/answer_bridge/all.log",
    benchmark:
        "results/benchmarks/answer_bridge/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"seed": config["seed"]},
        code=plan.code("answer_bridge"),
    message:
        "Gathering the tests of generated neural ODEs and answering the questions about them"
    script:
        "../workflow/scripts/answer_bridge.py"
