# One table a question, gathered from the files of all cells; what figures and users read.
STRUCTURE = config["node"]["structure"]
TRAINED_CELLS = [(cell["beta"], cell["gamma"]) for cell in config["node"]["cells"]]
SYSTEMS = config["dynamics"]["systems"]

SIZE_CELLS = {
    trained: cells(config["graphs"]["sizes"], [trained[0]], [trained[1]])
    for trained in TRAINED_CELLS
}
STRUCTURE_CELLS = cells([STRUCTURE["size"]], STRUCTURE["beta"], STRUCTURE["gamma"])
STRUCTURE_TRAINED = (STRUCTURE["trained"]["beta"], STRUCTURE["trained"]["gamma"])
TEST_CELLS = sorted(
    {cell for group in SIZE_CELLS.values() for cell in group} | {*STRUCTURE_CELLS}
)
TESTS = sorted(
    {(trained, cell) for trained, group in SIZE_CELLS.items() for cell in group}
    | {(STRUCTURE_TRAINED, cell) for cell in STRUCTURE_CELLS}
)


def test_files(name):
    """One file of every test: system x training cell x test cell."""
    return [
        f"results/node/tests/{system}/trained_beta~{number(trained[0])}"
        f"/trained_gamma~{number(trained[1])}/{cell.path}/{name}.parquet"
        for system in SYSTEMS
        for trained, cell in TESTS
    ]


def model_files(suffix):
    """One file of every trained set of models."""
    return [
        f"results/node/models/{system}/beta~{number(beta)}/gamma~{number(gamma)}{suffix}"
        for system in SYSTEMS
        for beta, gamma in TRAINED_CELLS
    ]


def flow_files(name):
    """One file of every flow: flow x weights x width."""
    flows = config["flow"]["flows"]
    return [
        f"results/flow/{flow}/{weights}/width~{width}/{name}"
        for flow in FLOWS
        for weights in flows[flow]["weights"]
        for width in flows[flow]["widths"]
    ]


rule collect_graphs:
    input:
        [f"results/graphs/test/{cell.path}/summary.parquet" for cell in TEST_CELLS],
    output:
        "results/tables/graphs.parquet",
    log:
        "results/logs/collect_graphs.log",
    benchmark:
        "results/benchmarks/collect_graphs/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_graphs"),
    message:
        "Gathering the measures of all graphs"
    script:
        "../workflow/scripts/collect_graphs.py"


rule collect_activity:
    input:
        training=[
            f"results/trajectories/training/{system}/N~{TRAINING_N}"
            f"/beta~{number(STRUCTURE_TRAINED[0])}/gamma~{number(STRUCTURE_TRAINED[1])}.parquet"
            for system in SYSTEMS
        ],
        training_edges=f"results/graphs/training/N~{TRAINING_N}"
        f"/beta~{number(STRUCTURE_TRAINED[0])}/gamma~{number(STRUCTURE_TRAINED[1])}/edges.parquet",
        test=[
            f"results/trajectories/test/{system}/{cell.path}.parquet"
            for system in SYSTEMS
            for cell in STRUCTURE_CELLS
        ],
        test_edges=[
            f"results/graphs/test/{cell.path}/edges.parquet"
            for system in SYSTEMS
            for cell in STRUCTURE_CELLS
        ],
    output:
        over_time="results/tables/activity_over_time.parquet",
        at_end="results/tables/activity_at_end.parquet",
    log:
        "results/logs/collect_activity.log",
    benchmark:
        "results/benchmarks/collect_activity/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_activity"),
    message:
        "Summarizing activity by degree"
    script:
        "../workflow/scripts/collect_activity.py"


rule collect_training:
    input:
        model_files(".history.parquet"),
    output:
        "results/tables/node_training.parquet",
    log:
        "results/logs/collect_training.log",
    benchmark:
        "results/benchmarks/collect_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_training"),
    message:
        "Gathering the training histories of all neural ODEs"
    script:
        "../workflow/scripts/collect_training.py"


rule collect_tests:
    input:
        runs=test_files("runs"),
        errors=test_files("errors"),
    output:
        runs="results/tables/node_tests.parquet",
        by_degree="results/tables/node_errors_by_degree.parquet",
    log:
        "results/logs/collect_tests.log",
    benchmark:
        "results/benchmarks/collect_tests/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_tests"),
    message:
        "Gathering the errors of all neural ODEs"
    script:
        "../workflow/scripts/collect_tests.py"


rule collect_members:
    input:
        [
            path
            for zoo in ZOOS
            for path in zoo_files(f"{RAW}.metrics.parquet", zoo, "raw")
        ],
    output:
        "results/tables/zoo_members.parquet",
    log:
        "results/logs/collect_members.log",
    benchmark:
        "results/benchmarks/collect_members/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_members"),
    message:
        "Gathering the members of all zoos"
    script:
        "../workflow/scripts/collect_members.py"


rule collect_alignment:
    input:
        alignment=[
            path
            for zoo in ZOOS
            for path in zoo_files(f"{ALIGNED}.alignment.parquet", zoo, "aligned")
        ],
        barrier=[
            f"results/zoo/{zoo}/{weights}/barrier.parquet"
            for zoo in ZOOS
            for weights in ("raw", "aligned")
        ],
    output:
        alignment="results/tables/zoo_alignment.parquet",
        barrier="results/tables/zoo_barrier.parquet",
    log:
        "results/logs/collect_alignment.log",
    benchmark:
        "results/benchmarks/collect_alignment/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_alignment"),
    message:
        "Gathering the alignment and the loss barriers of all zoos"
    script:
        "../workflow/scripts/collect_alignment.py"


rule collect_flow_training:
    input:
        flow_files("history.parquet"),
    output:
        "results/tables/flow_training.parquet",
    log:
        "results/logs/collect_flow_training.log",
    benchmark:
        "results/benchmarks/collect_flow_training/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_flow_training"),
    message:
        "Gathering the training histories of all flows"
    script:
        "../workflow/scripts/collect_flow_training.py"


rule collect_judgements:
    input:
        panel=flow_files("panel.parquet"),
        summary=flow_files("summary.parquet"),
    output:
        panel="results/tables/flow_panel.parquet",
        summary="results/tables/flow_summary.parquet",
    log:
        "results/logs/collect_judgements.log",
    benchmark:
        "results/benchmarks/collect_judgements/all.tsv"
    conda:
        "../envs/environment.yaml"
    params:
        p={},
        code=code("collect_judgements"),
    message:
        "Gathering the judgement of all samples"
    script:
        "../workflow/scripts/collect_judgements.py"


TABLES = [
    *rules.collect_graphs.output,
    *rules.collect_activity.output,
    *rules.collect_training.output,
    *rules.collect_tests.output,
    *rules.collect_members.output,
    *rules.collect_alignment.output,
    *rules.collect_flow_training.output,
    *rules.collect_judgements.output,
]
