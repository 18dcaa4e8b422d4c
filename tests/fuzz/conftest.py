"""Quiet logs: what is judged here are answers, and every line of a log costs time."""

import sys

import pytest

from bursar.runtime import logging


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Only what is wrong is logged."""
    logging.configure(level="error", is_development=True, stream=sys.stderr)
