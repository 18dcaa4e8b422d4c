"""Quiet logs: what is judged here are answers, and every line of a log costs time."""

import sys
from collections.abc import Iterator

import pytest
import structlog

from bursar.runtime import logging


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    """Only what is wrong is logged; other tests log as before."""
    config = structlog.get_config()
    logging.configure(level="error", is_development=True, stream=sys.stderr)
    yield
    structlog.configure(**config)
