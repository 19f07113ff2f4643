"""Write the page on a network and series of the user's own."""

from typing import Any

from nodeflow.data.tables import ERRORS, MEASURES, NOTES
from nodeflow.figures.own_page import own_page
from nodeflow.job import job
from nodeflow.laws.store import read_laws
from nodeflow.tables import read_table, replacing

snakemake: Any
p, files, output = snakemake.params.p, snakemake.input, snakemake.output

with job(snakemake.log[0], snakemake.threads):
    tables = {
        name: read_table(files[name], schema, {"own": p["own"]})
        for name, schema in (
            ("measures", MEASURES),
            ("notes", NOTES),
            ("errors", ERRORS),
            ("told", NOTES),
        )
    }
    pictures = dict(zip(p["pictures"], files.pictures, strict=True))
    laws = [read_laws(path, {"own": p["own"]}) for path in files.law]
    page = own_page(p["own"], **tables, pictures=pictures, laws=laws)
    with replacing(output[0]) as beside:
        beside.write_text(page, encoding="utf-8")
