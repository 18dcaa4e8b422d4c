"""Plants a bug: applies a patch file to the source in memory, and takes it back.

A patch is a unified diff against `src`. Its old lines must stand in the source exactly once, so a
patch whose place is gone fails instead of planting nothing. Only the code of the functions that
differ is exchanged, so whoever imported them has the bug as well.
"""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any, Final

from bursar.runtime.app import Operation

FOLDER: Final = Path(__file__).parent
GROUND: Final = "Hunted in: "


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines of one module, before and after."""

    module: str
    old: str
    new: str


def names(harness: str) -> list[str]:
    """Every bug that a harness must find: the patches in the folder of its name."""
    return sorted(path.stem for path in (FOLDER / harness).glob("*.patch"))


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """The bug is there, until the end."""
    taken: list[tuple[FunctionType, CodeType]] = []
    hunks = [] if name is None else list(_hunks(_patch(name)))
    try:
        for module in dict.fromkeys(hunk.module for hunk in hunks):
            mine = [hunk for hunk in hunks if hunk.module == module]
            for function, code in _changes(importlib.import_module(module), mine):
                taken.append((function, function.__code__))
                function.__code__ = code
        assert name is None or taken, f"{name} changes nothing"
        yield
    finally:
        for function, code in reversed(taken):
            function.__code__ = code


def ground_of(name: str) -> str:
    """Where a patch says that it can be found: the beginning of a setting, or nothing."""
    lines = _patch(name).splitlines()
    return next((line.removeprefix(GROUND) for line in lines if line.startswith(GROUND)), "")


def _patch(name: str) -> str:
    (path,) = FOLDER.glob(f"*/{name}.patch")
    return path.read_text()


def _hunks(patch: str) -> Iterator[Hunk]:
    module, old, new = "", list[str](), list[str]()
    for line in [*patch.splitlines(keepends=True), "@@"]:
        if line.startswith(("--- ", "+++ ", "@@")):
            if old or new:
                yield Hunk(module, "".join(old), "".join(new))
            old, new = [], []
            if line.startswith("+++ "):
                path = line[4:].strip().removeprefix("b/").removeprefix("src/")
                module = path.removesuffix(".py").replace("/", ".")
            continue
        if line[0] in " -":
            old.append(line[1:])
        if line[0] in " +":
            new.append(line[1:])


def _changes(module: ModuleType, hunks: list[Hunk]) -> Iterator[tuple[FunctionType, CodeType]]:
    """The functions of a module that the hunks change, with their new code."""
    source = inspect.getsource(module)
    changed = source
    for hunk in hunks:
        assert changed.count(hunk.old) == 1, f"{module.__name__} has not these lines:\n{hunk.old}"
        changed = changed.replace(hunk.old, hunk.new)
    path = inspect.getsourcefile(module)
    assert path is not None
    before = dict(_codes(compile(source, path, "exec")))
    for name, code in _codes(compile(changed, path, "exec")):
        if name in before and _essence(code) != _essence(before[name]):
            yield _function(module, name), code


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """The code of every function that is not inside another one."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            if inner.co_flags & inspect.CO_NEWLOCALS and inner.co_flags & inspect.CO_OPTIMIZED:
                yield inner.co_qualname, inner
            else:
                yield from _codes(inner)


def _essence(code: CodeType) -> tuple[Any, ...]:
    """What a function does, without where it stands."""
    consts = [_essence(each) if isinstance(each, CodeType) else each for each in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, consts


def _function(module: ModuleType, name: str) -> FunctionType:
    found: Any = module
    for part in name.split("."):
        found = inspect.getattr_static(found, part)
    if isinstance(found, Operation):
        found = found.act
    assert isinstance(found, FunctionType), f"{name} is no function"
    return found
