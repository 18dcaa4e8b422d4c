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
