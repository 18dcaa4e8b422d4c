"""What the tests over real wires and processes have in common: quiet logs beside their figures."""

import sys
from collections.abc import Iterator

import pytest
import structlog

from bursar.runtime import logging


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Only what is wrong is logged, so that figures can be read; others log as before."""
    config = structlog.get_config()
    logging.configure(level="error", is_development=True, stream=sys.stderr)
    yield
    structlog.configure(**config)
