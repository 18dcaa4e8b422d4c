"""What programs load before they do anything: whatever stands here, every start waits for."""

import subprocess
import sys

import pytest
from tests.architecture.source import ROOT

HEAVY = frozenset(
    {"aiohttp", "alembic", "jinja2", "litestar", "pgqueuer", "pydantic", "stripe", "typer"}
)
# Typer reads what was typed by pydantic.
TYPED = frozenset({"pydantic", "typer"})
COMMAND = """
import runpy, sys
sys.argv = ["bursar", *sys.argv[1:]]
try:
    runpy.run_module("bursar.cli.root", run_name="__main__", alter_sys=True)
except SystemExit as ended:
    assert not ended.code, ended.code
finally:
    sys.stderr.write(" ".join(sys.modules))
"""
LIGHT = ("version", "config check", "--help", "config --help", "migrate --help", "worker --help")
APPLICATION = ("api", "console", "flows", "jobs", "operations", "providers", "reads", "store")
NOUNS = frozenset(
    f"bursar.cli.{path.stem}"
    for path in (ROOT / "src/bursar/cli").glob("*.py")
    if "\ngroup = typer.Typer(" in path.read_text()
)


def loaded_by(program: str, *arguments: str) -> set[str]:
    """Every module that is there when the program is over."""
    told = subprocess.run(
        (sys.executable, "-c", program, *arguments),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set((told.stdout if program is not COMMAND else told.stderr).split())


def libraries(modules: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


def test_a_start_loads_no_framework() -> None:
    # The program listens before the application is loaded, so nothing of that may come with it.
    assert HEAVY & libraries(loaded_by("import sys, bursar.serving; print(*sys.modules)")) == set()


@pytest.mark.parametrize("line", LIGHT)
def test_a_light_command_loads_no_application(line: str) -> None:
    # Who asks for words gets them at once: no noun is loaded for it, no floor and no framework.
    loaded = loaded_by(COMMAND, *line.split())
    assert "bursar.cli.root" in loaded or "bursar.cli.deferred" in loaded
    assert (HEAVY - TYPED) & libraries(loaded) == set()
    assert {f"bursar.{floor}" for floor in APPLICATION} & loaded == set()
    assert {"bursar.main", "bursar.runtime.app"} & loaded == set()
    own = {"bursar.cli.configuration"} if line.startswith("config") else set()
    assert NOUNS & loaded == own


def test_a_noun_loads_no_other() -> None:
    # A verb pays for its own noun; the application comes when the verb asks for it.
    assert len(NOUNS) > 25
    loaded = loaded_by(COMMAND, "customer", "list", "--help")
    assert NOUNS & loaded == {"bursar.cli.customers"}
    assert {"bursar.api", "bursar.console", "bursar.jobs", "bursar.main"} & loaded == set()
    assert {"aiohttp", "alembic", "jinja2", "litestar", "pypdf", "stripe"} & libraries(
        loaded
    ) == set()


def test_a_worker_loads_neither_api_nor_command_line() -> None:
    # A tree has several workers, and each would pay for routes, pages and commands it never shows.
    loaded = loaded_by("import sys, bursar.working; print(*sys.modules)")
    assert {"bursar.main", "bursar.jobs.schedule"} <= loaded
    assert {"alembic", "litestar", "pypdf", "typer"} & libraries(loaded) == set()
    edges = {"bursar.api.asgi", "bursar.api.dispatch", "bursar.cli.root", "bursar.console"}
    assert edges & loaded == set()


def test_what_few_processes_need_is_not_loaded_with_the_application() -> None:
    # The printer and the exporter of traces weigh much and wait for whoever asks for them first.
    loaded = loaded_by(
        "import sys; from bursar.main import TypstRenderer; TypstRenderer().close();"
        "print(*sys.modules)"
    )
    assert "bursar.providers.documents" in loaded
    assert {"typst", "opentelemetry.sdk.trace"} & loaded == set()
