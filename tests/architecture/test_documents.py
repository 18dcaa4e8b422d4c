"""Documents point at things that exist, and speak of the project alone."""

import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tests.architecture.source import ROOT, Source, tracked

CODE_SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PATH_LIKE = re.compile(r"\.?[\w*-]+(?:[./][\w*.{},-]+)*/?")
MAKE = re.compile(r"make ([a-z][a-z-]*)(?: .*)?")
# A span is taken for a path when it begins with one of these, or ends like a file of the root.
OUTSIDE = (".ci/", ".githooks/", ".github/")
TOP = (*OUTSIDE, "bench/", "clients/", "docs/", "requirements/", "src/", "tests/")
FLOORS = (
    "api",
    "cli",
    "console",
    "domain",
    "flows",
    "jobs",
    "migrations",
    "operations",
    "providers",
)
UNDER_BURSAR = tuple(f"{floor}/" for floor in (*FLOORS, "reads", "runtime", "store"))

# In pieces, so that this file does not contain what it refuses.
HOSTS = re.compile(r"\b(py" r"pi|python" r"hosted|npm" r"js|debian)\.(org|com|net)\b")
ELSEWHERE = ("/wo" + "rk/", "../sha" + "red", "before-" + "stop", "sub" + "agent", "Anthro" + "pic")


def documents() -> list[Source]:
    return [source for source in tracked() if source.path.endswith(".md")]


def outside_fences(source: Source) -> Iterator[tuple[int, str]]:
    is_fenced = False
    for number, line in enumerate(source.lines, 1):
        if line.lstrip().startswith("```"):
            is_fenced = not is_fenced
        elif not is_fenced:
            yield number, line


def spans(source: Source) -> Iterator[tuple[int, str]]:
    for number, line in outside_fences(source):
        yield from ((number, found[1]) for found in CODE_SPAN.finditer(line))


def exists(path: str) -> bool:
    """A path of the repository, from its root or from src/bursar; `*` stands for anything."""
    plain = path.rstrip("/")
    return any(
        any(start.glob(plain)) if "*" in plain else (start / plain).exists()
        for start in (ROOT, ROOT / "src", ROOT / "src/bursar")
    )


def test_paths_exist() -> None:
    # A path named in a document leads somewhere.
    gone = [
        f"{source.path}:{number}: {span}"
        for source in documents()
        for number, span in spans(source)
        if span.startswith((*TOP, *UNDER_BURSAR)) and PATH_LIKE.fullmatch(span) and not exists(span)
    ]
    assert gone == []


def test_links_exist() -> None:
    # A relative link leads to a file.
    gone = [
        f"{source.path}:{number}: {target}"
        for source in documents()
        for number, line in outside_fences(source)
        for target in LINK.findall(line)
        if not re.match(r"[a-z]+:|#|/", target)
        and not (ROOT / PurePosixPath(source.path).parent / target.partition("#")[0]).exists()
    ]
    assert gone == []


def test_make_targets_exist() -> None:
    # A command shown to a reader is one that the Makefile knows.
    known = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    unknown = [
        f"{source.path}:{number}: {span}"
        for source in documents()
        for number, span in spans(source)
        if (found := MAKE.fullmatch(span)) and found[1] not in known
    ]
    assert unknown == []


def test_agents_is_short() -> None:
    # House rules fit on two screens, and each ends with the name of its check.
    lines = (ROOT / "AGENTS.md").read_text().splitlines()
    rules = [line for line in lines if line.startswith("- ")]
    assert len(lines) < 150
    assert [line for line in rules if not re.search(r"\[[^\]]+\]$", line)] == []


def test_decisions_are_complete() -> None:
    # Every decision has the template's sections and stands in the index.
    folder = ROOT / "docs/decisions"
    index = (folder / "index.md").read_text()
    wanted = ["Context", "Decision", "Consequences", "Alternatives", "Enforced by"]
    for path in sorted(folder.glob("[0-9]*.md")):
        assert re.findall(r"^## (.+)$", path.read_text(), re.MULTILINE) == wanted, path.name
        assert path.name in index, f"{path.name} is not in index.md"


def test_no_registry_is_named() -> None:
    # Where packages come from is the business of the machine that installs them.
    named = [
        f"{source.path}:{number}: {found[0]}"
        for source in tracked()
        for number, line in enumerate(source.lines, 1)
        if (found := HOSTS.search(line))
    ]
    assert named == []


def test_project_speaks_of_itself() -> None:
    # Nothing in the repository leans on the place where it was written.
    spoken = [
        f"{source.path}:{number}: {word}"
        for source in tracked()
        for number, line in enumerate(source.lines, 1)
        for word in ELSEWHERE
        if word.lower() in line.lower()
    ]
    assert spoken == []


def test_scripts_can_run() -> None:
    # What is started by name has its run bit.
    scripts = (".ci/run", ".githooks/commit-msg")
    assert [one for one in scripts if not Path(ROOT, one).stat().st_mode & 0o100] == []
