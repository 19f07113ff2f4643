# One table a question, gathered from the files of all cells; what figures and users read.


rule collect_graphs:
    input:
        fill(paths.SUMMARY, plan.graphs.tests),
    output:
        "results/tables/graphs.parquet",
    log:
        "results/logs/collect_graphs/all.log",
    benchmark:
        "results/benchmarks/collect_graphs/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_graphs"),
    message:
        "Gathering the measures of all graphs"
    script:
        "../workflow/scripts/collect_graphs.py"


rule collect_theory:
    input:
        fill(paths.NODES, plan.graphs.structure),
    output:
        degrees="results/tables/graphs_degrees.parquet",
        clustering="results/tables/graphs_clustering.parquet",
    log:
        "results/logs/collect_theory/all.log",
    benchmark:
        "results/benchmarks/collect_theory/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_theory"),
    message:
        "Degrees and clustering against theory"
    script:
        "../workflow/scripts/collect_theory.py"


rule collect_networks:
    input:
        fill(paths.NETWORK_SUMMARY, plan.networks.all),
    output:
        "results/tables/networks.parquet",
    log:
        "results/logs/collect_networks/all.log",
    benchmark:
        "results/benchmarks/collect_networks/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_networks"),
    message:
        "Gathering the measures of networks and their null models"
    script:
        "../workflow/scripts/collect_networks.py"


rule collect_activity:
    input:
        training=fill(paths.TRAJECTORIES, plan.dynamics.examples),
        training_edges=fill(paths.EDGES, plan.dynamics.examples),
        test=fill(paths.TRAJECTORIES, plan.dynamics.structure),
        test_edges=fill(paths.EDGES, plan.dynamics.structure),
    output:
        over_time="results/tables/activity_over_time.parquet",
        at_end="results/tables/activity_at_end.parquet",
    log:
        "results/logs/collect_activity/all.log",
    benchmark:
        "results/benchmarks/collect_activity/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_activity"),
    message:
        "Summarizing activity by degree"
    script:
        "../workflow/scripts/collect_activity.py"


rule collect_training:
    input:
        fill(paths.HISTORY, plan.node.trainings),
    output:
        "results/tables/node_training.parquet",
    log:
        "results/logs/collect_training/all.log",
    benchmark:
        "results/benchmarks/collect_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_training"),
    message:
        "Gathering the training histories of all neural ODEs"
    script:
        "../workflow/scripts/collect_training.py"


rule collect_tests:
    input:
        runs=fill(paths.RUNS, plan.node.trainings),
        by_degree=fill(paths.BY_DEGREE, plan.node.trainings),
    output:
        runs="results/tables/node_tests.parquet",
        by_degree="results/tables/node_errors_by_degree.parquet",
    log:
        "results/logs/collect_tests/all.log",
    benchmark:
        "results/benchmarks/collect_tests/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_tests"),
    message:
        "Gathering the errors of all neural ODEs"
    script:
        "../workflow/scripts/collect_tests.py"


rule collect_snapshots:
    input:
        fill(paths.OVER_TRAINING, plan.experiments.snapshots),
    output:
        "results/tables/node_over_training.parquet",
    log:
        "results/logs/collect_snapshots/all.log",
    benchmark:
        "results/benchmarks/collect_snapshots/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_snapshots"),
    message:
        "Gathering the errors of all neural ODEs over their training"
    script:
        "../workflow/scripts/collect_snapshots.py"


rule collect_experiments:
    input:
        fixed_points=fill(paths.FIXED_POINTS, plan.experiments.details),
        hidden=fill(paths.HIDDEN, plan.experiments.details),
        noise=fill(paths.NOISE, plan.experiments.noise),
        functions=fill(paths.FUNCTIONS, plan.experiments.details),
    output:
        fixed_points="results/tables/node_fixed_points.parquet",
        hidden="results/tables/node_hidden.parquet",
        noise="results/tables/node_noise.parquet",
        functions="results/tables/node_functions.parquet",
    log:
        "results/logs/collect_experiments/all.log",
    benchmark:
        "results/benchmarks/collect_experiments/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_experiments"),
    message:
        "Gathering fixed points, unobserved nodes, noise and learned functions"
    script:
        "../workflow/scripts/collect_experiments.py"


rule judge_warning:
    input:
        fill(paths.ERRORS, plan.experiments.details),
    output:
        curves="results/tables/node_warning.parquet",
        areas="results/tables/node_warning_areas.parquet",
    log:
        "results/logs/judge_warning/all.log",
    benchmark:
        "results/benchmarks/judge_warning/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=plan.experiments.warning_params(),
        code=plan.code("judge_warning"),
    message:
        "Does the spread of an ensemble warn of its errors?"
    script:
        "../workflow/scripts/judge_warning.py"


rule judge_claims:
    input:
        tests="results/tables/node_tests.parquet",
        fixed_points="results/tables/node_fixed_points.parquet",
        hidden="results/tables/node_hidden.parquet",
        noise="results/tables/node_noise.parquet",
        areas="results/tables/node_warning_areas.parquet",
    output:
        "results/tables/claims.parquet",
    log:
        "results/logs/judge_claims/all.log",
    benchmark:
        "results/benchmarks/judge_claims/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p=plan.experiments.claim_params(),
        code=plan.code("judge_claims"),
    message:
        "Judging the claims of the paper"
    script:
        "../workflow/scripts/judge_claims.py"


rule collect_members:
    input:
        fill(paths.METRICS, plan.canonical.members),
    output:
        "results/tables/zoo_members.parquet",
    log:
        "results/logs/collect_members/all.log",
    benchmark:
        "results/benchmarks/collect_members/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_members"),
    message:
        "Gathering the members of all zoos"
    script:
        "../workflow/scripts/collect_members.py"


rule collect_alignment:
    input:
        alignment=fill(paths.ALIGNMENT, plan.canonical.members),
        barrier=fill(paths.BARRIER, plan.canonical.members),
    output:
        alignment="results/tables/zoo_alignment.parquet",
        barrier="results/tables/zoo_barrier.parquet",
    log:
        "results/logs/collect_alignment/all.log",
    benchmark:
        "results/benchmarks/collect_alignment/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_alignment"),
    message:
        "Gathering the alignment and the loss barriers of all zoos"
    script:
        "../workflow/scripts/collect_alignment.py"


rule collect_flow_training:
    input:
        history=fill(paths.FLOW_HISTORY, plan.flows.all),
        flow=fill(paths.FLOW_WEIGHTS, plan.flows.all),
    output:
        history="results/tables/flow_training.parquet",
        spectra="results/tables/flow_spectra.parquet",
    log:
        "results/logs/collect_flow_training/all.log",
    benchmark:
        "results/benchmarks/collect_flow_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_flow_training"),
    message:
        "Gathering the training histories and the spectra of all flows"
    script:
        "../workflow/scripts/collect_flow_training.py"


rule collect_judgements:
    input:
        panel=fill(paths.FLOW_PANEL, plan.flows.all),
        summary=fill(paths.FLOW_SUMMARY, plan.flows.all),
    output:
        panel="results/tables/flow_panel.parquet",
        summary="results/tables/flow_summary.parquet",
    log:
        "results/logs/collect_judgements/all.log",
    benchmark:
        "results/benchmarks/collect_judgements/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_judgements"),
    message:
        "Gathering the judgement of all samples"
    script:
        "../workflow/scripts/collect_judgements.py"


rule collect_transfer:
    input:
        fill(paths.TRANSFER, plan.transfers.all),
    output:
        "results/tables/transfer.parquet",
    log:
        "results/logs/collect_transfer/all.log",
    benchmark:
        "results/benchmarks/collect_transfer/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_transfer"),
    message:
        "Gathering the transfer of all samples"
    script:
        "../workflow/scripts/collect_transfer.py"


rule collect_solvers:
    input:
        fill(paths.SOLVERS, plan.flows.solvers),
    output:
        "results/tables/flow_solvers.parquet",
    log:
        "results/logs/collect_solvers/all.log",
    benchmark:
        "results/benchmarks/collect_solvers/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_solvers"),
    message:
        "Gathering the accuracy of flows by solver and steps"
    script:
        "../workflow/scripts/collect_solvers.py"


rule collect_conditional:
    input:
        judgement=fill(paths.CONDITIONAL_JUDGEMENT, plan.conditional.all),
        summary=fill(paths.CONDITIONAL_SUMMARY, plan.conditional.all),
    output:
        judgement="results/tables/conditional.parquet",
        summary="results/tables/conditional_summary.parquet",
    log:
        "results/logs/collect_conditional/all.log",
    benchmark:
        "results/benchmarks/collect_conditional/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("collect_conditional"),
    message:
        "Gathering the judgement of all conditional flows"
    script:
        "../workflow/scripts/collect_conditional.py"


TABLES = [
    *rules.collect_graphs.output,
    *rules.collect_theory.output,
    *rules.collect_networks.output,
    *rules.collect_activity.output,
    *rules.collect_training.output,
    *rules.collect_tests.output,
    *rules.collect_experiments.output,
    *rules.judge_warning.output,
    *rules.judge_claims.output,
    *rules.collect_members.output,
    *rules.collect_alignment.output,
    *rules.collect_flow_training.output,
    *rules.collect_judgements.output,
    *rules.answer_bridge.output,
    *(rules.collect_snapshots.output if plan.node.keeps_snapshots else []),
    *(rules.collect_transfer.output if plan.transfers.all else []),
    *(rules.collect_solvers.output if plan.flows.solvers else []),
    *(rules.collect_conditional.output if plan.conditional.all else []),
]
