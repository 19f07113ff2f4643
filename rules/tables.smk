# One table a question, gathered from the files of all cells; what figures and users read.


rule collect_graphs:
    input:
        plan.over_cells(
            "results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/summary.parquet"
        ),
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
        plan.over_structure(
            "results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/nodes.parquet"
        ),
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
        plan.over_networks("results/networks/{network}/summary.parquet"),
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
        training=plan.over_example(
            "results/trajectories/training/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet"
        ),
        training_edges=plan.over_example(
            "results/graphs/training/N~{N}/beta~{beta}/gamma~{gamma}/edges.parquet"
        ),
        test=plan.over_structure_systems(
            "results/trajectories/test/{system}/N~{N}/beta~{beta}/gamma~{gamma}.parquet"
        ),
        test_edges=plan.over_structure_systems(
            "results/graphs/test/N~{N}/beta~{beta}/gamma~{gamma}/edges.parquet"
        ),
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
        plan.over_models(
            "results/node/models/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.history.parquet"
        ),
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
        runs=plan.over_models(
            "results/node/tests/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/runs.parquet"
        ),
        by_degree=plan.over_models(
            "results/node/tests/{system}/{variant}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/by_degree.parquet"
        ),
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
        plan.over_snapshots(
            "results/node/snapshots/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.parquet"
        ),
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
        fixed_points=plan.over_detail(
            "results/node/fixed_points/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.parquet"
        ),
        hidden=plan.over_detail(
            "results/node/hidden/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.parquet"
        ),
        noise=plan.over_noise("results/node/noise/{system}/{variant}.parquet"),
        functions=plan.over_detail(
            "results/node/functions/{system}/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}.parquet"
        ),
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
        plan.over_detail(
            "results/node/tests/{system}/plain/trained_beta~{trained_beta}/trained_gamma~{trained_gamma}/errors.parquet"
        ),
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
        p=plan.warning(),
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
        p=plan.claims(),
        code=plan.code("judge_claims"),
    message:
        "Judging the claims of the paper"
    script:
        "../workflow/scripts/judge_claims.py"


rule collect_members:
    input:
        plan.over_zoos(
            "results/zoo/{zoo}/{weights}/block~{block}.metrics.parquet", ("raw",)
        ),
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
        alignment=plan.over_zoos(
            "results/zoo/{zoo}/{weights}/block~{block}.alignment.parquet", ("aligned",)
        ),
        barrier=plan.over_zoos("results/zoo/{zoo}/{weights}/barrier.parquet"),
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
        history=plan.over_flows(
            "results/flow/{flow}/{weights}/width~{width}/history.parquet"
        ),
        flow=plan.over_flows(
            "results/flow/{flow}/{weights}/width~{width}/flow.safetensors"
        ),
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
        panel=plan.over_flows(
            "results/flow/{flow}/{weights}/width~{width}/panel.parquet"
        ),
        summary=plan.over_flows(
            "results/flow/{flow}/{weights}/width~{width}/summary.parquet"
        ),
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
        plan.over_transfers(
            "results/flow/{flow}/{weights}/width~{width}/transfer.parquet"
        ),
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
        plan.over_solvers("results/flow/{flow}/{weights}/width~{width}/solvers.parquet"),
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
        judgement=plan.over_conditionals(
            "results/conditional/{flow}/{weights}/width~{width}/judgement.parquet"
        ),
        summary=plan.over_conditionals(
            "results/conditional/{flow}/{weights}/width~{width}/summary.parquet"
        ),
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
    *(rules.collect_snapshots.output if plan.keeps_snapshots else []),
    *(rules.collect_transfer.output if plan.over_transfers("{flow}") else []),
    *(rules.collect_solvers.output if plan.over_solvers("{flow}") else []),
    *(rules.collect_conditional.output if plan.over_conditionals("{flow}") else []),
]
