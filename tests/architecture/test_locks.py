"""The locks pin and hash everything that is installed, and name no place to get it from."""

import itertools
import re
import tomllib
from functools import cache

from tests.architecture.source import ROOT

PIN = re.compile(r"([a-z0-9][a-z0-9-]*)==([^\s;\\]+)(?: ; [^\\]+)? \\")
HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}(?: \\)?")


@cache
def lock(name: str) -> str:
    return (ROOT / "requirements" / name).read_text()


def pins(name: str) -> set[tuple[str, str]]:
    return {
        (found[1], found[2]) for line in lock(name).splitlines() if (found := PIN.fullmatch(line))
    }


def test_every_line_is_a_pin_or_a_hash() -> None:
    # Nothing else fits: no host, no index, no path, no unhashed requirement.
    for name in ("run.txt", "dev.txt", "localstripe.txt", "kubernetes.txt"):
        lines = lock(name).splitlines()
        assert [line for line in lines if not (PIN.fullmatch(line) or HASH.fullmatch(line))] == []
        after_pins = [after for line, after in itertools.pairwise(lines) if PIN.fullmatch(line)]
        assert all(HASH.fullmatch(after) for after in after_pins)


def test_both_locks_agree() -> None:
    # What is tested is what runs: the development lock contains the runtime lock.
    assert pins("run.txt") - pins("dev.txt") == set()


def test_a_stranger_stays_outside() -> None:
    # The fake of Stripe that the adapter is tried against is GPL-3.0: no lock of ours has it.
    assert "localstripe" in {name for name, _ in pins("localstripe.txt")}
    assert "localstripe" not in {name for name, _ in pins("run.txt") | pins("dev.txt")}


def test_everything_declared_is_locked() -> None:
    # A dependency added to pyproject.toml without `make lock` fails here, not on a fresh machine.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = (
        project["project"]["dependencies"] + project["project"]["optional-dependencies"]["embedded"]
    )
    developing = runtime + project["dependency-groups"]["dev"] + project["build-system"]["requires"]
    for name, wanted in (("run.txt", runtime), ("dev.txt", developing)):
        locked = {pin for pin, _ in pins(name)}
        declared = {re.split(r"[\s\[<>=!~;]", one)[0].lower() for one in wanted}
        assert declared - locked == set(), f"{name}: run `make lock`"
