"""This folder starts programs, on the loop that `bursar run` has."""

from tests.support.loops import pytest_asyncio_loop_factories  # noqa: F401 - a hook of this folder
