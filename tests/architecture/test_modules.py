"""Modules as a whole: each is in a real package, is reached, and imports what is declared."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions

from tests.architecture.source import ROOT, Source, python, tracked

# Where a process starts, or what Alembic finds by walking a folder.
ENTRIES = ("bursar.cli.entry", "bursar_sandbox.main", "bursar.migrations")
# What these name in text is loaded by whoever asks for it.
REGISTRIES = ("bursar.cli.entry", "bursar.cli.root")
OURS = frozenset({"bursar", "bursar_client", "bursar_sandbox", "bench", "tests"})


def imports_of(source: Source) -> set[str]:
    """Every module this file may mean by its imports, ours and others."""
    found: set[str] = set()
    for node in source.nodes:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def named_by(source: Source) -> set[str]:
    """Every module that a registry may mean, as `module` or `module:name`."""
    if source.module not in REGISTRIES:
        return set()
    texts = (node.value for node in source.nodes if isinstance(node, ast.Constant))
    return {text.partition(":")[0] for text in texts if isinstance(text, str)}


def test_packages_are_marked() -> None:
    # A folder without __init__.py is invisible to the import contracts, so there is none.
    folders = {source.path.rpartition("/")[0] for source in python("src/")} - {"src"}
    marked = {
        source.path.rpartition("/")[0]
        for source in tracked()
        if source.path.endswith("/__init__.py")
    }
    assert sorted(folders - marked) == [], "add an __init__.py"


def test_no_module_is_dead() -> None:
    # Every module is reached from a process's start; tests alone keep nothing alive.
    sources = {source.module: source for source in python("src/")}
    waiting = [name for name in sources if name.startswith(ENTRIES) or name.endswith(".__main__")]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached or name not in sources:
            continue
        reached.add(name)
        source = sources[name]
        waiting += [name.rpartition(".")[0], *imports_of(source), *named_by(source)]
    dead = [
        sources[name].path for name in sources if name not in reached and sources[name].text.strip()
    ]
    assert sorted(dead) == [], "nothing that runs imports these modules"


def test_imports_are_declared() -> None:
    # What is imported is declared in pyproject.toml, not merely brought along by something else.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = (
        project["project"]["dependencies"] + project["project"]["optional-dependencies"]["embedded"]
    )
    allowed = {
        "src/": names_of(runtime),
        "tests/": names_of(runtime + project["dependency-groups"]["dev"]),
    }
    allowed["bench/"] = allowed["tests/"]
    distributions = packages_distributions()
    undeclared = [
        f"{source.path}: {name}"
        for root, declared in allowed.items()
        for source in python(root)
        for name in sorted({module.partition(".")[0] for module in imports_of(source)})
        if name not in OURS | sys.stdlib_module_names
        and not {plain(one) for one in distributions.get(name, [])} & declared
    ]
    assert undeclared == [], "declare these in pyproject.toml, then `make lock`"


def test_dependencies_are_decided() -> None:
    # Every library has a decision that says why it is here.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = names_of(
        project["project"]["dependencies"]
        + project["project"]["optional-dependencies"]["embedded"]
        + project["dependency-groups"]["dev"]
    )
    decisions = " ".join(path.read_text() for path in (ROOT / "docs/decisions").glob("*.md"))
    named = {plain(span) for span in re.findall(r"`([\w.-]+)`", decisions)}
    assert sorted(declared - named) == [], "name it in a decision, with licence and reason"


def names_of(requirements: list[str]) -> set[str]:
    return {plain(re.split(r"[\s\[<>=!~;]", one)[0]) for one in requirements}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
