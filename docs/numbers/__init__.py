"""The tables of the documents, written from the files of a run: `python -m docs.numbers`."""
