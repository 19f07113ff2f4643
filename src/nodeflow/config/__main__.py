"""Write the JSON schema and the table of keys: `python -m nodeflow.config`, in a checkout."""

from pathlib import Path

from nodeflow.config.document import write_documents

write_documents(Path())
