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


rule collect_theory:
    input:
        fill(paths.NODES, plan.graphs.structure),
    output:
        degrees=table("graphs_degrees").path,
        clustering=table("graphs_clustering").path,
    log:
        paths.log("collect_theory"),
    benchmark:
        paths.benchmark("collect_theory")
    params:
        p={},
        code=plan.code("collect_theory"),
    message:
        "Degrees and clustering against theory"
    script:
        "../workflow/scripts/collect_theory.py"


rule collect_activity:
    input:
        training=fill(paths.TRAJECTORIES, plan.dynamics.examples),
        training_edges=[narrow(paths.EDGES, **row) for row in plan.dynamics.examples],
        test=fill(paths.TRAJECTORIES, plan.dynamics.structure),
        test_edges=[narrow(paths.EDGES, **row) for row in plan.dynamics.structure],
    output:
        over_time=table("activity_over_time").path,
        at_end=table("activity_at_end").path,
    log:
        paths.log("collect_activity"),
    benchmark:
        paths.benchmark("collect_activity")
    params:
        p={},
        code=plan.code("collect_activity"),
    message:
        "Summarizing activity by degree"
    script:
        "../workflow/scripts/collect_activity.py"


rule judge_warning:
    input:
        fill(narrow(paths.ERRORS, learned="neural_ode"), plan.experiments.details),
    output:
        curves=table("neural_ode_warning").path,
        areas=table("neural_ode_warning_areas").path,
    log:
        paths.log("judge_warning"),
    benchmark:
        paths.benchmark("judge_warning")
    params:
        p=plan.evaluated.warning_params(),
        code=plan.code("judge_warning"),
    message:
        "Does the spread of an ensemble warn of its errors?"
    script:
        "../workflow/scripts/judge_warning.py"


rule judge_claims:
    input:
        tests=table("neural_ode_tests").path,
        fixed_points=table("neural_ode_fixed_points").path,
        hidden=table("neural_ode_hidden").path,
        noise=table("neural_ode_noise").path,
        areas=table("neural_ode_warning_areas").path,
        trust=table("neural_ode_trust").path,
    output:
        table("claims").path,
    log:
        paths.log("judge_claims"),
    benchmark:
        paths.benchmark("judge_claims")
    params:
        p=plan.evaluated.claim_params(),
        code=plan.code("judge_claims"),
    message:
        "Judging the claims of the paper"
    script:
        "../workflow/scripts/judge_claims.py"


rule compare_payoff:
    input:
        # Those of zoos and flows alone: what they cost is known before the whole run is done.
        costs=lambda _: benchmarks(
            [table("zoo_epochs").path, table("flow_summary").path]
        ),
        epochs=table("zoo_epochs").path,
        summary=table("flow_summary").path,
    output:
        table("payoff").path,
    log:
        paths.log("compare_payoff"),
    benchmark:
        paths.benchmark("compare_payoff")
    params:
        p={"made": plan.costs.made},
        code=plan.code("compare_payoff"),
    message:
        "Comparing what generated and trained networks cost"
    script:
        "../workflow/scripts/compare_payoff.py"
