# Figures: pure functions of tables, PNG for the report and PDF for the paper. The list of them is
# src/nodeflow/plan/figures.py.
for figure in FIGURES:

    rule:
        name:
            f"draw_{figure.name}"
        input:
            **figure.files,
        output:
            png=report(
                figure.pictures[0],
                caption=f"../workflow/report/{figure.name}.rst",
                category=QUESTIONS[figure.question].text,
                labels=figure.labels,
            ),
            pdf=figure.pictures[1],
        log:
            paths.log(f"draw_{figure.name}", figure.pictures[0]),
        benchmark:
            paths.benchmark(f"draw_{figure.name}", figure.pictures[0])
        group:
            report_group
        params:
            p=figure.params(plan),
            code=plan.code("draw", figure.entries),
        message:
            f"Drawing: {figure.title}"
        script:
            "../workflow/scripts/draw.py"
