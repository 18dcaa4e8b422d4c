"""What a file must say of itself, and what it must not: docstrings, reasons, nothing unfinished.

Style of prose is taste and lives in docs; here is only what a machine can tell.
"""

import ast
import re
from collections.abc import Iterator

from tests.architecture.rule import ALL_PYTHON, SRC, Rule, Sample
from tests.architecture.source import Offence, Source, dotted, functions

DOCSTRING_LINES_MAX = 12

# The brackets keep this file from accusing itself.
UNFINISHED = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HA[C]K|NotImplemented[E]rror)\b")
SILENCED = re.compile(r"#\s*(?P<kind>type:\s*ignore|noqa)(?P<rest>.*)")
REASONED = {
    "type": re.compile(r"\[[a-z-]+(?:,\s*[a-z-]+)*\]\W+\w+.*"),
    "noqa": re.compile(r":\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*\W+\w+\W+\w+.*"),
}
SKIPS = frozenset(
    {
        "pytest.importorskip",
        "pytest.mark.skip",
        "pytest.mark.skipif",
        "pytest.mark.xfail",
        "pytest.skip",
        "pytest.xfail",
        "unittest.skip",
    },
)


def docstrings(source: Source) -> Iterator[Offence]:
    if not source.text.strip():
        return  # an empty package marker
    said = ast.get_docstring(source.tree)
    if not said:
        yield source.offence(1, "the module has no docstring")
    elif len(said.splitlines()) > DOCSTRING_LINES_MAX:
        yield source.offence(
            1,
            f"the docstring has {len(said.splitlines())} lines, the most is {DOCSTRING_LINES_MAX}",
        )


def unfinished(source: Source) -> Iterator[Offence]:
    if "/static/vendored/" in source.path:
        return  # as others published it, to the byte; it is not ours to finish
    for number, line in enumerate(source.lines, 1):
        if found := UNFINISHED.search(line):
            yield source.offence(number, f"{found[0]} is unfinished work")


def unexplained(source: Source) -> Iterator[Offence]:
    for number, line in enumerate(source.lines, 1):
        found = SILENCED.search(line)
        if found and not REASONED[found["kind"][:4]].match(found["rest"].strip()):
            yield source.offence(number, "name what is silenced, and say why in the same line")


def skipped(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.Attribute) and dotted(node) in SKIPS:
            yield source.offence(node, f"{dotted(node)} hides a test")


def mocked(source: Source) -> Iterator[Offence]:
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom | ast.Import) and "mock" in ast.unparse(node):
            yield source.offence(
                node, f"{ast.unparse(node)}: stand in at the wire, never for our own code"
            )
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield source.offence(node, "mocker: stand in at the wire, never for our own code")


def silent_tests(source: Source) -> Iterator[Offence]:
    for one in functions(source):
        if not one.name.startswith("test_"):
            continue
        opening = source.lines[one.lineno - 1 : one.body[0].lineno - 1]
        if not any(line.strip().startswith("#") for line in opening):
            yield source.offence(one, f"{one.name} does not begin with a comment")


FILE = "src/bursar/store/x.py"
TEST = "tests/store/test_x.py"
IGNORE = "# type: " + "ignore"
NOQA = "# no" + "qa"

RULES = (
    Rule(
        name="module-docstring",
        law=f"Every module says in 1 to {DOCSTRING_LINES_MAX} lines what it owns and refuses.",
        binds=SRC,
        check=docstrings,
        caught=(Sample(FILE, "x = 1"), Sample(FILE, '"""' + "A.\n" * 13 + '"""')),
        free=(Sample(FILE, '"""Owns x."""\nx = 1'), Sample("src/bursar/store/__init__.py", "")),
    ),
    Rule(
        name="finished",
        law="No unfinished work in the tree: do it, or file it.",
        binds=("*",),
        check=unfinished,
        caught=(Sample(FILE, "x = 1  # " + "TO" + "DO: more"), Sample("docs/x.md", "FIX" + "ME")),
        free=(Sample(FILE, "x = 1  # the method is done"),),
    ),
    Rule(
        name="reasons",
        law="A silenced check names its code and says why in the same line.",
        binds=ALL_PYTHON,
        check=unexplained,
        caught=(
            Sample(FILE, f"x = 1  {IGNORE}"),
            Sample(FILE, f"x = 1  {IGNORE}[misc]"),
            Sample(FILE, f"x = 1  {NOQA}"),
            Sample(FILE, f"x = 1  {NOQA}: S603"),
        ),
        free=(
            Sample(FILE, f"x = 1  {IGNORE}[misc]  # the stubs lack this overload"),
            Sample(FILE, f"x = 1  {NOQA}: S603 - a fixed command"),
        ),
    ),
    Rule(
        name="no-skips",
        law="A test runs or is deleted: nothing is skipped or expected to fail.",
        binds=("tests/*.py", "bench/*.py"),
        check=skipped,
        caught=(
            Sample(TEST, "@pytest.mark.skipif(True)\ndef test_x(): ..."),
            Sample(TEST, "pytest.skip()"),
        ),
        free=(Sample(TEST, "@pytest.mark.system\ndef test_x(): ..."),),
    ),
    Rule(
        name="no-mocks",
        law="Stand-ins are at the wire (the sandbox processor), never for our own code.",
        binds=("tests/*.py",),
        check=mocked,
        caught=(
            Sample(TEST, "from unittest.mock import patch"),
            Sample(TEST, "def test_x(mocker): ..."),
        ),
        free=(Sample(TEST, "def test_x(sandbox): ..."),),
    ),
    Rule(
        name="test-says",
        law="A test begins with a comment that says what must be true.",
        binds=("tests/*/test_*.py",),
        check=silent_tests,
        caught=(Sample(TEST, "def test_x():\n    assert True"),),
        free=(Sample(TEST, "def test_x():\n    # An invoice is numbered once.\n    assert True"),),
    ),
)
