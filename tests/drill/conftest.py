"""The finished smoke run of the workflow tests; whichever test needs it first makes it."""

from tests.workflow.conftest import finished

__all__ = ["finished"]
