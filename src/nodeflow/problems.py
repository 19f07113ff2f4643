"""The one exception family whose text is written for the user, not for the programmer."""

__all__ = ["Problem"]


class Problem(Exception):
    """Something the user can cure; its text is one line that says what is wrong and what to do."""
