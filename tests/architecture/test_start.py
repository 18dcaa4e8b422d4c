"""What `bursar serve` loads before it listens: whatever stands here, every start waits for."""

import subprocess
import sys

from tests.architecture.source import ROOT

HEAVY = frozenset(
    {"aiohttp", "alembic", "jinja2", "litestar", "pgqueuer", "pydantic", "stripe", "typer"}
)
PROGRAM = "import sys, bursar.serving; print(*{name.partition('.')[0] for name in sys.modules})"


def test_a_start_loads_no_framework() -> None:
    # The program listens before the application is loaded, so nothing of that may come with it.
    told = subprocess.run(
        (sys.executable, "-c", PROGRAM), cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert HEAVY & set(told.stdout.split()) == set()


def test_what_few_processes_need_is_not_loaded_with_the_application() -> None:
    # The printer and the exporter of traces weigh much and wait for whoever asks for them first.
    program = "import sys; from bursar.main import TypstRenderer; TypstRenderer().close();"
    told = subprocess.run(
        (sys.executable, "-c", f"{program} print(*sys.modules)"),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(told.stdout.split())
    assert "bursar.providers.documents" in loaded
    assert {"typst", "opentelemetry.sdk.trace"} & loaded == set()
