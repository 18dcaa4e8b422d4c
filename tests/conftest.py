"""Fixtures of the whole suite: one installation and one application per test process."""

import gc
from collections.abc import AsyncIterator, Generator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.typing import EventDict, WrappedLogger
from tests.support.database import Installation, installation, keep_blank
from tests.support.world import World, open_world

from bursar.runtime.app import App
from bursar.runtime.garbage import keep_what_stands

# No test is timed: a machine that does other work beside is no fault of what is tested.
settings.register_profile(
    "untimed", settings.default, deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.load_profile("untimed")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What is collected stays to the end: who looks for garbage need not look through it each time.

    Else a tenth of all work would go there, most of it through thousands of tests that wait.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        keep_what_stands()


def only_what_is_wrong(_logger: WrappedLogger, level: str, event: EventDict) -> EventDict:
    """Drop lines that say that something went well."""
    if level in {"debug", "info"}:
        raise structlog.DropEvent
    return event


@pytest.fixture(autouse=True, scope="session")
def quiet() -> None:
    """A line for each verb costs time, and the runner keeps all of them to its end.

    So does a trace that shows every variable: a fault that is planted on purpose shows a world.
    """
    *kept, _printing = structlog.get_config()["processors"]
    printing = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[only_what_is_wrong, *kept, printing])


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Installation]:
    """A migrated PostgreSQL, the only one of most test processes."""
    async with installation() as made:
        await keep_blank(made)
        yield made


@pytest.fixture(scope="session")
def house(cluster: Installation) -> Installation:
    """The database that tests share; a folder of tests may name another one."""
    return cluster


@pytest.fixture(scope="session")
async def world(house: Installation) -> AsyncIterator[World]:
    """The application beside an in-process processor; tests found organizations of their own."""
    async with open_world(house) as made:
        yield made


@pytest.fixture(scope="session")
async def app(world: World) -> App:
    """The application itself."""
    return world.app
