"""The load tests themselves: each scenario in its smallest form, against real processes."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.support.program import Place, place

pytestmark = pytest.mark.system

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {
    "auth": {"login": 300, "register": 500},
    "invoice": {"create": 800, "list": 500, "get": 300},
    "payment": {"payment": 1500},
    "mixed": {"read": 500, "write": 1000, "payment": 2000},
}


@pytest.fixture(scope="module")
async def served() -> AsyncIterator[Place]:
    """API, worker and sandbox processor, that believe a proxy on this machine."""
    async with place(TRUSTED_PROXIES="127.0.0.1/32") as made:
        program = await made.start("run", "--no-demo")
        await made.until_healthy(program)
        yield made


@pytest.mark.parametrize("scenario", EXPECTED)
async def test_a_scenario_runs_and_judges(served: Place, scenario: str, tmp_path: Path) -> None:
    # Real people's requests are answered, the reports are written, and hold the promised numbers.
    # Eight people for six seconds say nothing of speed, so the exit code is not looked at here.
    python = shutil.which("python3", path="/usr/bin")
    assert python is not None
    child = await asyncio.create_subprocess_exec(
        *(python, str(ROOT / "load" / "run.py"), scenario, "--profile", "smoke"),
        *("--out", str(tmp_path)),
        env={"PATH": os.environ["PATH"], "BASE_URL": f"http://127.0.0.1:{served.port}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await asyncio.wait_for(child.communicate(), 60)
    report = json.loads((tmp_path / f"{scenario}-smoke.json").read_text())
    limits = {name: one["limitMs"] for name, one in report["measured"].items()}
    assert limits == EXPECTED[scenario]
    assert all(one["p95Ms"] is not None for one in report["measured"].values()), said.decode()
    assert report["errorRatio"] == 0, said.decode()
    assert report["uses"].keys() == {"memoryBytes", "openFiles"}
    assert child.returncode == (0 if report["ok"] else 1)
    assert "<html" in (tmp_path / f"{scenario}-smoke.html").read_text()[:500].lower()
