"""What a run keeps is made of what the whole run has, whichever test asks first.

A fixture that is kept for the run and takes another one by name takes what that name means to the
first test that asks. Where a folder gives the name another meaning, all other tests would get it.
"""

import ast
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from msgspec import Struct
from tests.architecture.source import Function, Source, functions, python

KEPT: Final = {"session", "package"}


class Fixture(Struct, frozen=True):
    """A fixture: where its name holds, for how long it is kept, what it takes."""

    name: str
    reach: str  # a folder, or a file of tests
    is_kept: bool
    takes: tuple[str, ...]


def fixtures(source: Source) -> list[Fixture]:
    """The fixtures that a file of tests declares."""
    path = PurePosixPath(source.path)
    reach = f"{path.parent}/" if path.name == "conftest.py" else source.path
    return [
        Fixture(function.name, reach, is_kept(mark), takes(function))
        for function in functions(source)
        if (mark := marked(function)) is not None
    ]


def marked(function: Function) -> ast.expr | None:
    """What makes the function a fixture."""
    marks = [each for each in function.decorator_list if "pytest.fixture" in ast.unparse(each)]
    return marks[0] if marks else None


def is_kept(mark: ast.expr) -> bool:
    words = mark.keywords if isinstance(mark, ast.Call) else []
    return any(word.arg == "scope" and ast.literal_eval(word.value) in KEPT for word in words)


def takes(function: Function) -> tuple[str, ...]:
    return tuple(each.arg for each in function.args.args)


def resting_on(other: Fixture, known: Sequence[Fixture]) -> set[str]:
    """What is kept for longer than the place of this fixture, and is made of what it is called."""
    wider = [
        one
        for one in known
        if one.is_kept and other.reach.startswith(one.reach) and other.reach != one.reach
    ]
    found: set[str] = set()
    while more := {one.name for one in wider if {other.name, *found} & set(one.takes)} - found:
        found |= more
    return found


def asked_within(reach: str, sources: Sequence[Source]) -> set[str]:
    """What the tests and fixtures of a place take."""
    return {
        name
        for source in sources
        if source.path.startswith(reach)
        for function in functions(source)
        if function.name.startswith("test_") or marked(function) is not None
        for name in takes(function)
    }


def wrongly_made(sources: Sequence[Source]) -> list[str]:
    """What is kept for the run and might be made of what only a folder or a file calls so."""
    known = [one for source in sources for one in fixtures(source)]
    found = []
    for other in known:
        own = {one.name for one in known if one.reach == other.reach}
        wrong = (resting_on(other, known) - own) & asked_within(other.reach, sources)
        found += [f"{other.reach}: {name}, made of another {other.name}" for name in sorted(wrong)]
    return found


def test_what_a_run_keeps_is_everybodys() -> None:
    # Whoever calls something else by a name also makes anew what is made of it, or asks for none.
    assert wrongly_made(python("tests/")) == []


def test_a_name_of_two_meanings_is_seen() -> None:
    # The rule finds what it is for, and lets go what asks for nothing that is kept.
    whole = Source(
        "tests/conftest.py",
        "@pytest.fixture(scope='session')\ndef cluster(): ...\n"
        "@pytest.fixture(scope='session')\ndef house(cluster): ...\n",
    )
    folder = Source("tests/x/conftest.py", "@pytest.fixture\ndef cluster(): ...\n")
    asking = Source("tests/x/test_x.py", "def test_it(house): ...\n")
    assert wrongly_made((whole, folder, asking)) == ["tests/x/: house, made of another cluster"]
    assert wrongly_made((whole, folder)) == []
