from .atoms import ATOMS, Atom
from .data import LawProblem
from .discover import discover
from .each import discover_each
from .form import Form, Term, field_of
from .law import Law
from .store import Laws, read_law, read_laws, write_laws
from .table import law_table
from .trusted import rate_law

__all__ = [
    "ATOMS",
    "Atom",
    "Form",
    "Law",
    "LawProblem",
    "Laws",
    "Term",
    "discover",
    "discover_each",
    "field_of",
    "law_table",
    "rate_law",
    "read_law",
    "read_laws",
    "write_laws",
]
