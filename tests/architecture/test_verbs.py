"""Operations, flows and queries: each has one name, a permission where it needs one, and a use."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.architecture.queries import queries_of
from tests.architecture.source import (
    Function,
    Source,
    decorators,
    dotted,
    names_used,
    public_functions,
    python,
    tracked,
)

OPERATIONS = "src/bursar/operations/"
FLOWS = "src/bursar/flows/"
READS = "src/bursar/reads/"
EDGES = ("src/bursar/api/", "src/bursar/console/", "src/bursar/cli/", "src/bursar/jobs/")
CALLERS = (*EDGES, FLOWS, "src/bursar/main.py", "src/bursar/runtime/")
QUERY_FLOORS = ("src/bursar/store/", READS, "src/bursar/runtime/", "src/bursar/migrations/")


def verbs(*roots: str) -> Iterator[tuple[Source, Function]]:
    """Public coroutines of a floor: on these two floors each of them is a verb."""
    for source in python(*roots):
        for one in public_functions(source):
            if isinstance(one, ast.AsyncFunctionDef):
                yield source, one


def test_names_are_unique() -> None:
    # Searching for a verb finds one definition.
    places: dict[str, list[str]] = defaultdict(list)
    for source, one in verbs(OPERATIONS, FLOWS):
        places[one.name].append(f"{source.path}:{one.lineno}")
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_operations_name_their_permission() -> None:
    # A verb that no permission guards does not exist.
    bare = [
        f"{source.path}:{one.lineno}: {one.name}"
        for source, one in verbs(OPERATIONS)
        if not (names_permission(one, "operation") or names_permission(one, "convoy"))
    ]
    assert bare == [], "decorate with @operation(<permission>)"


def names_permission(function: Function, decorator: str) -> bool:
    """`@operation` alone names nothing; it must be called with something."""
    found = decorators(function).get(decorator)
    return isinstance(found, ast.Call) and bool(found.args or found.keywords)


def unaliased(source: Source, name: str) -> str:
    """The name a thing was imported by, before this file called it otherwise."""
    for node in source.nodes:
        if isinstance(node, ast.ImportFrom):
            for each in node.names:
                if each.asname == name:
                    return each.name
    return name


def looked_at(call: ast.Call) -> list[ast.expr]:
    """The read that this call looks at, if it is such a call."""
    told = dotted(call.func)
    if told.endswith("caller.look"):
        return call.args[:1]
    return call.args[1:2] if told == "shown" else []


def test_looks_name_their_permission() -> None:
    # A read that an edge looks at, by caller.look or by shown, names the permission it needs.
    guarded = {
        one.name
        for source in python(READS)
        for one in public_functions(source)
        if names_permission(one, "query") or names_permission(one, "glance")
    }
    bare = [
        f"{source.path}:{node.lineno}: {dotted(question)}"
        for source in python(*EDGES, FLOWS)
        for node in source.nodes
        if isinstance(node, ast.Call)
        for question in looked_at(node)
        if unaliased(source, dotted(question).rpartition(".")[2]) not in guarded
    ]
    assert bare == [], "decorate the read with @query or @glance(requires=<permission>)"


def test_verbs_are_used() -> None:
    # Every verb is run by an edge, a flow, a job or the machine; a test is not a use.
    reached: set[str] = set()
    for source in python(*CALLERS):
        reached |= names_used(source)
    unused = [
        f"{source.path}:{one.lineno}: {one.name}"
        for source, one in verbs(OPERATIONS, FLOWS)
        if one.name not in reached
    ]
    assert unused == []


def test_queries_are_used() -> None:
    # Every named query is run by the Python of its floor.
    words = {floor: words_of(floor) for floor in QUERY_FLOORS}
    unused = [
        f"{source.path}:{query.line}: {query.name}"
        for floor in QUERY_FLOORS
        for source in tracked()
        if source.path.startswith(floor) and source.path.endswith(".sql")
        for query in queries_of(source)
        if query.name not in words[floor]
    ]
    assert unused == []


def words_of(floor: str) -> set[str]:
    """Names and texts in the Python of a floor: a query is asked for by either."""
    found: set[str] = set()
    for source in python(floor):
        found |= names_used(source)
        found |= {
            node.value
            for node in source.nodes
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
    return found
