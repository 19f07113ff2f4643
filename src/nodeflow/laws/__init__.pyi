from .atoms import ATOMS, Atom
from .data import LawProblem
from .discover import discover
from .form import Form, Term, field_of
from .law import Law, read_law
from .trusted import rate_law

__all__ = [
    "ATOMS",
    "Atom",
    "Form",
    "Law",
    "LawProblem",
    "Term",
    "discover",
    "field_of",
    "rate_law",
    "read_law",
]
