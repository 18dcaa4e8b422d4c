"""`bursar doctor` says what is wrong and how to mend it; `python -O` is not started at all."""

import subprocess
import sys

import pytest
from tests.cli.conftest import Terminal
from tests.support.world import World

from bursar.cli.failing import Exit


async def states(terminal: Terminal) -> tuple[int, dict[str, str]]:
    said = await terminal.run("doctor")
    return said.code, {each["what"]: each["state"] for each in said.value}


async def test_a_healthy_installation(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is wrong; that no server runs here is noted and is no problem.
    monkeypatch.setenv("DATABASE_URL", world.house.app_url)
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:1")
    code, found = await states(terminal)
    assert code == Exit.DONE
    assert {name: found[name] for name in ("settings", "disk", "database", "schema", "roles")} == (
        dict.fromkeys(("settings", "disk", "database", "schema", "roles"), "ok")
    )
    assert found["sandbox"] == "note"


async def test_a_database_that_is_away(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    # The problem is named and the exit code tells a script.
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/bursar")
    code, found = await states(terminal)
    assert (code, found["database"]) == (Exit.PROBLEMS, "PROBLEM")


async def test_a_login_with_too_much_power_and_another_key(
    terminal: Terminal, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Outside production the owner's login is noted; a key that opens nothing is a problem.
    monkeypatch.setenv("DATABASE_URL", world.house.owner_url)
    monkeypatch.setenv("SECRET_KEY", "0123456789abcdef0123456789abcdef")
    code, found = await states(terminal)
    assert (code, found["roles"], found["schema"]) == (Exit.PROBLEMS, "note", "PROBLEM")


async def test_a_wrong_setting_is_the_first_thing_said(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing else is looked at on top of settings that are not understood.
    monkeypatch.setenv("PORT", "many")
    assert await states(terminal) == (Exit.PROBLEMS, {"settings": "PROBLEM"})


@pytest.mark.parametrize("arguments", [("version",), ("run",), ("serve",)])
def test_optimized_python_is_refused(arguments: tuple[str, ...]) -> None:
    # Assertions stand between a bug and somebody's money, and -O takes them away.
    enter = "from bursar.cli.entry import enter; enter()"
    done = subprocess.run(
        [sys.executable, "-O", "-c", enter, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "bursar: does not run under python -O: its assertions must stay.\n"
