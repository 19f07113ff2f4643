# Laws behind the trajectories that neural ODEs learn: a law for each training graph. One job finds
# those of all systems of a cell. Variants of the data are plain, noise~SIGMA, and trajectories~K,
# times~K and nodes~SHARE, of which there are only so many.


rule discover_law:
    input:
        edges=lambda w: edges(plan.neural_ode.learned(plan.dynamics.each(w)[0])),
        trajectories=lambda w: [
            trajectories(plan.neural_ode.learned(row)) for row in plan.dynamics.each(w)
        ],
    output:
        laws=of_every_system(paths.LAWS),
        table=of_every_system(paths.LAW_TABLE),
    log:
        paths.log("discover_law", narrow(paths.LAWS, system="all")),
    benchmark:
        paths.benchmark("discover_law", narrow(paths.LAWS, system="all"))
    priority: 10
    params:
        p=plan.laws.parts,
        code=plan.code("discover_law"),
    message:
        "Finding laws of all systems, {wildcards.variant}, at beta = {wildcards.trained_beta}, gamma = {wildcards.trained_gamma}"
    script:
        "../workflow/scripts/discover_law.py"
