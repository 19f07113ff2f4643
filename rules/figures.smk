# Figures: pure functions of tables, PNG for the report and PDF for the paper.
FIGURES_OF = {
    "node": [
        "degrees",
        "ensemble",
        "networks",
        "trajectories",
        "activity",
        "training",
        "size_errors",
        "structure_errors",
        "degree_errors",
        "conjecture",
        "functions",
        "warning",
        "fixed_points",
        "hidden",
        "noise",
        "claims",
        *(["error_over_training"] if plan.node.keeps_snapshots else []),
    ],
    "flow": [
        "zoo",
        "alignment",
        "flow_training",
        "capacity",
        "frontier",
        *(["transfer"] if plan.transfers.all else []),
        *(["solvers"] if plan.flows.solvers else []),
        *(["conditional"] if plan.conditional.all else []),
    ],
    "bridge": [
        "bridge_errors",
        "bridge_functions",
        "bridge_ensembles",
        "bridge_novelty",
        "bridge_questions",
    ],
}
FIGURES = {
    question: [
        f"results/figures/{name}.{kind}" for name in names for kind in ("png", "pdf")
    ]
    for question, names in FIGURES_OF.items()
}


rule draw_degrees:
    input:
        degrees="results/tables/graphs_degrees.parquet",
    output:
        png=report(
            "results/figures/degrees.png",
            caption="../workflow/report/degrees.rst",
            category="1 Are the graphs those of the model?",
            labels={"figure": "Degree distribution against theory"},
        ),
        pdf="results/figures/degrees.pdf",
    log:
        "results/logs/draw_degrees/all.log",
    benchmark:
        "results/benchmarks/draw_degrees/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_degrees"),
    message:
        "Drawing: degree distribution against theory"
    script:
        "../workflow/scripts/draw_degrees.py"


rule draw_ensemble:
    input:
        graphs="results/tables/graphs.parquet",
        theory="results/tables/graphs_clustering.parquet",
    output:
        png=report(
            "results/figures/ensemble.png",
            caption="../workflow/report/ensemble.rst",
            category="1 Are the graphs those of the model?",
            labels={"figure": "Clustering and heterogeneity"},
        ),
        pdf="results/figures/ensemble.pdf",
    log:
        "results/logs/draw_ensemble/all.log",
    benchmark:
        "results/benchmarks/draw_ensemble/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"size": config["node"]["structure"]["size"]},
        code=plan.code("draw_ensemble"),
    message:
        "Drawing: clustering and heterogeneity"
    script:
        "../workflow/scripts/draw_ensemble.py"


rule draw_networks:
    input:
        networks="results/tables/networks.parquet",
    output:
        png=report(
            "results/figures/networks.png",
            caption="../workflow/report/networks.rst",
            category="1 Are the graphs those of the model?",
            labels={"figure": "Networks and their null models"},
        ),
        pdf="results/figures/networks.pdf",
    log:
        "results/logs/draw_networks/all.log",
    benchmark:
        "results/benchmarks/draw_networks/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_networks"),
    message:
        "Drawing: networks and their null models"
    script:
        "../workflow/scripts/draw_networks.py"


rule draw_trajectories:
    input:
        activity="results/tables/activity_over_time.parquet",
    output:
        png=report(
            "results/figures/trajectories.png",
            caption="../workflow/report/trajectories.rst",
            category="2 How do the systems behave on them?",
            labels={"figure": "Activity over time"},
        ),
        pdf="results/figures/trajectories.pdf",
    log:
        "results/logs/draw_trajectories/all.log",
    benchmark:
        "results/benchmarks/draw_trajectories/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_trajectories"),
    message:
        "Drawing: activity over time"
    script:
        "../workflow/scripts/draw_trajectories.py"


rule draw_activity:
    input:
        activity="results/tables/activity_at_end.parquet",
    output:
        png=report(
            "results/figures/activity.png",
            caption="../workflow/report/activity.rst",
            category="2 How do the systems behave on them?",
            labels={"figure": "Activity against degree"},
        ),
        pdf="results/figures/activity.pdf",
    log:
        "results/logs/draw_activity/all.log",
    benchmark:
        "results/benchmarks/draw_activity/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"beta": plan.cells.structure_trained.beta},
        code=plan.code("draw_activity"),
    message:
        "Drawing: activity against degree"
    script:
        "../workflow/scripts/draw_activity.py"


rule draw_training:
    input:
        history="results/tables/node_training.parquet",
    output:
        png=report(
            "results/figures/training.png",
            caption="../workflow/report/training.rst",
            category="3 Do neural ODEs learn the systems?",
            labels={"figure": "Training loss"},
        ),
        pdf="results/figures/training.pdf",
    log:
        "results/logs/draw_training/all.log",
    benchmark:
        "results/benchmarks/draw_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_training"),
    message:
        "Drawing: training loss"
    script:
        "../workflow/scripts/draw_training.py"


rule draw_error_over_training:
    input:
        table="results/tables/node_over_training.parquet",
    output:
        png=report(
            "results/figures/error_over_training.png",
            caption="../workflow/report/error_over_training.rst",
            category="3 Do neural ODEs learn the systems?",
            labels={"figure": "Error over training"},
        ),
        pdf="results/figures/error_over_training.pdf",
    log:
        "results/logs/draw_error_over_training/all.log",
    benchmark:
        "results/benchmarks/draw_error_over_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_error_over_training"),
    message:
        "Drawing: error over training"
    script:
        "../workflow/scripts/draw_error_over_training.py"


rule draw_size_errors:
    input:
        tests="results/tables/node_tests.parquet",
    output:
        png=report(
            "results/figures/size_errors.png",
            caption="../workflow/report/size_errors.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Error against size"},
        ),
        pdf="results/figures/size_errors.pdf",
    log:
        "results/logs/draw_size_errors/all.log",
    benchmark:
        "results/benchmarks/draw_size_errors/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"beta": plan.cells.structure_trained.beta},
        code=plan.code("draw_size_errors"),
    message:
        "Drawing: error against size"
    script:
        "../workflow/scripts/draw_size_errors.py"


rule draw_structure_errors:
    input:
        tests="results/tables/node_tests.parquet",
    output:
        png=report(
            "results/figures/structure_errors.png",
            caption="../workflow/report/structure_errors.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Error against structure"},
        ),
        pdf="results/figures/structure_errors.pdf",
    log:
        "results/logs/draw_structure_errors/all.log",
    benchmark:
        "results/benchmarks/draw_structure_errors/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={
            "size": config["node"]["structure"]["size"],
            "trained_beta": plan.cells.structure_trained.beta,
            "trained_gamma": plan.cells.structure_trained.gamma,
        },
        code=plan.code("draw_structure_errors"),
    message:
        "Drawing: error against structure"
    script:
        "../workflow/scripts/draw_structure_errors.py"


rule draw_degree_errors:
    input:
        errors="results/tables/node_errors_by_degree.parquet",
    output:
        png=report(
            "results/figures/degree_errors.png",
            caption="../workflow/report/degree_errors.rst",
            category="5 Why do they fail, and can one tell?",
            labels={"figure": "Error against degree"},
        ),
        pdf="results/figures/degree_errors.pdf",
    log:
        "results/logs/draw_degree_errors/all.log",
    benchmark:
        "results/benchmarks/draw_degree_errors/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={
            "size": config["node"]["structure"]["size"],
            "trained_beta": plan.cells.structure_trained.beta,
            "trained_gamma": plan.cells.structure_trained.gamma,
        },
        code=plan.code("draw_degree_errors"),
    message:
        "Drawing: error against degree"
    script:
        "../workflow/scripts/draw_degree_errors.py"


rule draw_conjecture:
    input:
        errors="results/tables/node_errors_by_degree.parquet",
    output:
        png=report(
            "results/figures/conjecture.png",
            caption="../workflow/report/conjecture.rst",
            category="5 Why do they fail, and can one tell?",
            labels={"figure": "Training on hub states"},
        ),
        pdf="results/figures/conjecture.pdf",
    log:
        "results/logs/draw_conjecture/all.log",
    benchmark:
        "results/benchmarks/draw_conjecture/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"size": plan.cells.detail_size},
        code=plan.code("draw_conjecture"),
    message:
        "Drawing: training on hub states"
    script:
        "../workflow/scripts/draw_conjecture.py"


rule draw_functions:
    input:
        table="results/tables/node_functions.parquet",
    output:
        png=report(
            "results/figures/functions.png",
            caption="../workflow/report/functions.rst",
            category="3 Do neural ODEs learn the systems?",
            labels={"figure": "Learned and true functions"},
        ),
        pdf="results/figures/functions.pdf",
    log:
        "results/logs/draw_functions/all.log",
    benchmark:
        "results/benchmarks/draw_functions/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_functions"),
    message:
        "Drawing: learned and true functions"
    script:
        "../workflow/scripts/draw_functions.py"


rule draw_warning:
    input:
        curves="results/tables/node_warning.parquet",
        areas="results/tables/node_warning_areas.parquet",
    output:
        png=report(
            "results/figures/warning.png",
            caption="../workflow/report/warning.rst",
            category="5 Why do they fail, and can one tell?",
            labels={"figure": "Spread of models as a warning"},
        ),
        pdf="results/figures/warning.pdf",
    log:
        "results/logs/draw_warning/all.log",
    benchmark:
        "results/benchmarks/draw_warning/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_warning"),
    message:
        "Drawing: spread of models as a warning"
    script:
        "../workflow/scripts/draw_warning.py"


rule draw_fixed_points:
    input:
        table="results/tables/node_fixed_points.parquet",
    output:
        png=report(
            "results/figures/fixed_points.png",
            caption="../workflow/report/fixed_points.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Fixed points and stability"},
        ),
        pdf="results/figures/fixed_points.pdf",
    log:
        "results/logs/draw_fixed_points/all.log",
    benchmark:
        "results/benchmarks/draw_fixed_points/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_fixed_points"),
    message:
        "Drawing: fixed points and stability"
    script:
        "../workflow/scripts/draw_fixed_points.py"


rule draw_hidden:
    input:
        table="results/tables/node_hidden.parquet",
    output:
        png=report(
            "results/figures/hidden.png",
            caption="../workflow/report/hidden.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Unobserved nodes"},
        ),
        pdf="results/figures/hidden.pdf",
    log:
        "results/logs/draw_hidden/all.log",
    benchmark:
        "results/benchmarks/draw_hidden/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_hidden"),
    message:
        "Drawing: unobserved nodes"
    script:
        "../workflow/scripts/draw_hidden.py"


rule draw_noise:
    input:
        table="results/tables/node_noise.parquet",
    output:
        png=report(
            "results/figures/noise.png",
            caption="../workflow/report/noise.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Noise"},
        ),
        pdf="results/figures/noise.pdf",
    log:
        "results/logs/draw_noise/all.log",
    benchmark:
        "results/benchmarks/draw_noise/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_noise"),
    message:
        "Drawing: noise"
    script:
        "../workflow/scripts/draw_noise.py"


rule draw_claims:
    input:
        table="results/tables/claims.parquet",
    output:
        png=report(
            "results/figures/claims.png",
            caption="../workflow/report/claims.rst",
            category="4 When do neural ODEs generalize?",
            labels={"figure": "Verdicts on the claims"},
        ),
        pdf="results/figures/claims.pdf",
    log:
        "results/logs/draw_claims/all.log",
    benchmark:
        "results/benchmarks/draw_claims/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_claims"),
    message:
        "Drawing: verdicts on the claims"
    script:
        "../workflow/scripts/draw_claims.py"


rule draw_zoo:
    input:
        metrics="results/tables/zoo_members.parquet",
    output:
        png=report(
            "results/figures/zoo.png",
            caption="../workflow/report/zoo.rst",
            category="6 Are trained networks alike?",
            labels={"figure": "Accuracy of the members"},
        ),
        pdf="results/figures/zoo.pdf",
    log:
        "results/logs/draw_zoo/all.log",
    benchmark:
        "results/benchmarks/draw_zoo/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_zoo"),
    message:
        "Drawing: accuracy of the members"
    script:
        "../workflow/scripts/draw_zoo.py"


rule draw_alignment:
    input:
        alignment="results/tables/zoo_alignment.parquet",
        barrier="results/tables/zoo_barrier.parquet",
    output:
        png=report(
            "results/figures/alignment.png",
            caption="../workflow/report/alignment.rst",
            category="6 Are trained networks alike?",
            labels={"figure": "Alignment and loss barrier"},
        ),
        pdf="results/figures/alignment.pdf",
    log:
        "results/logs/draw_alignment/all.log",
    benchmark:
        "results/benchmarks/draw_alignment/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_alignment"),
    message:
        "Drawing: alignment and loss barrier"
    script:
        "../workflow/scripts/draw_alignment.py"


rule draw_flow_training:
    input:
        history="results/tables/flow_training.parquet",
    output:
        png=report(
            "results/figures/flow_training.png",
            caption="../workflow/report/flow_training.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Flow matching loss"},
        ),
        pdf="results/figures/flow_training.pdf",
    log:
        "results/logs/draw_flow_training/all.log",
    benchmark:
        "results/benchmarks/draw_flow_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_flow_training"),
    message:
        "Drawing: flow matching loss"
    script:
        "../workflow/scripts/draw_flow_training.py"


rule draw_capacity:
    input:
        panel="results/tables/flow_panel.parquet",
    output:
        png=report(
            "results/figures/capacity.png",
            caption="../workflow/report/capacity.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Accuracy by capacity"},
        ),
        pdf="results/figures/capacity.pdf",
    log:
        "results/logs/draw_capacity/all.log",
    benchmark:
        "results/benchmarks/draw_capacity/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_capacity"),
    message:
        "Drawing: accuracy by capacity"
    script:
        "../workflow/scripts/draw_capacity.py"


rule draw_frontier:
    input:
        panel="results/tables/flow_panel.parquet",
    output:
        png=report(
            "results/figures/frontier.png",
            caption="../workflow/report/frontier.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Accuracy against novelty"},
        ),
        pdf="results/figures/frontier.pdf",
    log:
        "results/logs/draw_frontier/all.log",
    benchmark:
        "results/benchmarks/draw_frontier/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_frontier"),
    message:
        "Drawing: accuracy against novelty"
    script:
        "../workflow/scripts/draw_frontier.py"


rule draw_bridge_errors:
    input:
        runs="results/tables/bridge_runs.parquet",
        unobserved="results/tables/bridge_unobserved.parquet",
        fixed_points="results/tables/bridge_fixed_points.parquet",
        full="results/tables/node_tests.parquet",
    output:
        png=report(
            "results/figures/bridge_errors.png",
            caption="../workflow/report/bridge_errors.rst",
            category="8 Can it generate neural ODEs?",
            labels={"figure": "Errors of generated neural ODEs"},
        ),
        pdf="results/figures/bridge_errors.pdf",
    log:
        "results/logs/draw_bridge_errors/all.log",
    benchmark:
        "results/benchmarks/draw_bridge_errors/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_bridge_errors"),
    message:
        "Drawing: errors of generated neural ODEs"
    script:
        "../workflow/scripts/draw_bridge_errors.py"


rule draw_bridge_functions:
    input:
        functions="results/tables/bridge_functions.parquet",
    output:
        png=report(
            "results/figures/bridge_functions.png",
            caption="../workflow/report/bridge_functions.rst",
            category="8 Can it generate neural ODEs?",
            labels={"figure": "Learned functions over the true ones"},
        ),
        pdf="results/figures/bridge_functions.pdf",
    log:
        "results/logs/draw_bridge_functions/all.log",
    benchmark:
        "results/benchmarks/draw_bridge_functions/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_bridge_functions"),
    message:
        "Drawing: learned functions over the true ones"
    script:
        "../workflow/scripts/draw_bridge_functions.py"


rule draw_bridge_ensembles:
    input:
        degrees="results/tables/bridge_degrees.parquet",
    output:
        png=report(
            "results/figures/bridge_ensembles.png",
            caption="../workflow/report/bridge_ensembles.rst",
            category="8 Can it generate neural ODEs?",
            labels={"figure": "Ensembles by degree, and their calibration"},
        ),
        pdf="results/figures/bridge_ensembles.pdf",
    log:
        "results/logs/draw_bridge_ensembles/all.log",
    benchmark:
        "results/benchmarks/draw_bridge_ensembles/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_bridge_ensembles"),
    message:
        "Drawing: ensembles by degree, and their calibration"
    script:
        "../workflow/scripts/draw_bridge_ensembles.py"


rule draw_bridge_novelty:
    input:
        panel="results/tables/bridge_panel.parquet",
    output:
        png=report(
            "results/figures/bridge_novelty.png",
            caption="../workflow/report/bridge_novelty.rst",
            category="8 Can it generate neural ODEs?",
            labels={"figure": "Error against novelty of generated neural ODEs"},
        ),
        pdf="results/figures/bridge_novelty.pdf",
    log:
        "results/logs/draw_bridge_novelty/all.log",
    benchmark:
        "results/benchmarks/draw_bridge_novelty/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_bridge_novelty"),
    message:
        "Drawing: error against novelty of generated neural ODEs"
    script:
        "../workflow/scripts/draw_bridge_novelty.py"


rule draw_bridge_questions:
    input:
        questions="results/tables/bridge_questions.parquet",
    output:
        png=report(
            "results/figures/bridge_questions.png",
            caption="../workflow/report/bridge_questions.rst",
            category="8 Can it generate neural ODEs?",
            labels={"figure": "Answers with their intervals"},
        ),
        pdf="results/figures/bridge_questions.pdf",
    log:
        "results/logs/draw_bridge_questions/all.log",
    benchmark:
        "results/benchmarks/draw_bridge_questions/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_bridge_questions"),
    message:
        "Drawing: answers about generated neural ODEs"
    script:
        "../workflow/scripts/draw_bridge_questions.py"


rule draw_transfer:
    input:
        transfer="results/tables/transfer.parquet",
    output:
        png=report(
            "results/figures/transfer.png",
            caption="../workflow/report/transfer.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Transfer to changed tasks"},
        ),
        pdf="results/figures/transfer.pdf",
    log:
        "results/logs/draw_transfer/all.log",
    benchmark:
        "results/benchmarks/draw_transfer/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_transfer"),
    message:
        "Drawing: transfer to changed tasks"
    script:
        "../workflow/scripts/draw_transfer.py"


rule draw_solvers:
    input:
        solvers="results/tables/flow_solvers.parquet",
    output:
        png=report(
            "results/figures/solvers.png",
            caption="../workflow/report/solvers.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Accuracy by solver and steps"},
        ),
        pdf="results/figures/solvers.pdf",
    log:
        "results/logs/draw_solvers/all.log",
    benchmark:
        "results/benchmarks/draw_solvers/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_solvers"),
    message:
        "Drawing: accuracy of generated networks by solver and steps"
    script:
        "../workflow/scripts/draw_solvers.py"


rule draw_conditional:
    input:
        conditional="results/tables/conditional.parquet",
    output:
        png=report(
            "results/figures/conditional.png",
            caption="../workflow/report/conditional.rst",
            category="7 Can a flow generate networks that work and are new?",
            labels={"figure": "Conditional flows by guidance"},
        ),
        pdf="results/figures/conditional.pdf",
    log:
        "results/logs/draw_conditional/all.log",
    benchmark:
        "results/benchmarks/draw_conditional/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_conditional"),
    message:
        "Drawing: conditional flows by label and guidance"
    script:
        "../workflow/scripts/draw_conditional.py"


rule draw_speed:
    input:
        runtime="results/tables/runtime.parquet",
    output:
        png=report(
            "results/figures/speed.png",
            caption="../workflow/report/speed.rst",
            category="9 What did the run cost?",
            labels={"figure": "Time of a network, generated and trained"},
        ),
        pdf="results/figures/speed.pdf",
    log:
        "results/logs/draw_speed/all.log",
    benchmark:
        "results/benchmarks/draw_speed/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={"made": plan.flows.made()},
        code=plan.code("draw_speed"),
    message:
        "Drawing: time of a network, generated and trained"
    script:
        "../workflow/scripts/draw_speed.py"


rule draw_runtime:
    input:
        runtime="results/tables/runtime.parquet",
        resources="results/tables/resources.parquet",
    output:
        png=report(
            "results/figures/runtime.png",
            caption="../workflow/report/runtime.rst",
            category="9 What did the run cost?",
            labels={"figure": "Time and memory by rule"},
        ),
        pdf="results/figures/runtime.pdf",
    log:
        "results/logs/draw_runtime/all.log",
    benchmark:
        "results/benchmarks/draw_runtime/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=plan.code("draw_runtime"),
    message:
        "Drawing: time and memory by rule"
    script:
        "../workflow/scripts/draw_runtime.py"
