# One table a question, gathered from the files of all cells; what figures and users read. The list
# of them is src/nodeflow/plan/tables.py.
for job, tables in collections():

    rule:
        name:
            f"collect_{job}"
        input:
            **{table.name: table.files(plan) for table in tables},
        output:
            **{table.name: table.path for table in tables},
        log:
            paths.log(f"collect_{job}"),
        benchmark:
            paths.benchmark(f"collect_{job}")
        group:
            report_group
        params:
            p={table.name: table.params for table in tables},
            code=plan.code("collect", [x for table in tables for x in table.entries]),
        message:
            f"Gathering {', '.join(table.name for table in tables)}"
        script:
            "../workflow/scripts/collect.py"


# Tables that are made of other tables as a whole: what each job reads, makes, is told, and says.
for job, files, made, told, message in (
    (
        "collect_theory",
        {"nodes": fill(paths.NODES, plan.graphs.structure)},
        {"degrees": "graphs_degrees", "clustering": "graphs_clustering"},
        {},
        "Degrees and clustering against theory",
    ),
    (
        "collect_activity",
        {
            "training": fill(paths.TRAJECTORIES, plan.dynamics.examples),
            "training_edges": [
                narrow(paths.EDGES, **x) for x in plan.dynamics.examples
            ],
            "test": fill(paths.TRAJECTORIES, plan.dynamics.structure),
            "test_edges": [narrow(paths.EDGES, **x) for x in plan.dynamics.structure],
        },
        {"over_time": "activity_over_time", "at_end": "activity_at_end"},
        {},
        "Summarizing activity by degree",
    ),
    (
        "judge_warning",
        {
            "errors": fill(
                narrow(paths.ERRORS, learned="neural_ode"), plan.experiments.details
            )
        },
        {"curves": "neural_ode_warning", "areas": "neural_ode_warning_areas"},
        plan.evaluated.warning_params(),
        "Does the spread of an ensemble warn of its errors?",
    ),
    (
        "judge_claims",
        {
            **{
                name: table(f"neural_ode_{name}").path
                for name in ("tests", "fixed_points", "hidden", "noise", "trust")
            },
            "areas": table("neural_ode_warning_areas").path,
        },
        {"claims": "claims"},
        plan.evaluated.claim_params(),
        "Judging the claims of the paper",
    ),
    (
        "judge_priors",
        {
            name: table(f"prior_{name}").path
            for name in ("runs", "fits", "ensembles", "panel")
        },
        {"claims": "prior_claims"},
        plan.priors.claim_params(),
        "Judging what priors were to reach",
    ),
    (
        "compare_payoff",
        {
            "runtime": table("runtime").path,
            "epochs": table("zoo_epochs").path,
            "summary": table("flow_summary").path,
        },
        {"payoff": "payoff"},
        {"made": plan.costs.made},
        "Comparing what generated and trained networks cost",
    ),
):

    rule:
        name:
            job
        input:
            **files,
        output:
            **{name: table(x).path for name, x in made.items()},
        log:
            paths.log(job),
        benchmark:
            paths.benchmark(job)
        params:
            p=told,
            code=plan.code(job),
        message:
            message
        script:
            f"../workflow/scripts/{job}.py"
