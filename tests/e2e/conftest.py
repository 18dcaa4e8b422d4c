"""What the tests over real wires and processes have in common: quiet logs beside their figures."""

import sys

import pytest

from bursar.runtime import logging


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """Only what is wrong is logged, so that the printed figures can be read."""
    logging.configure(level="error", is_development=True, stream=sys.stderr)
