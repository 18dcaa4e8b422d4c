"""Closed lists of the domain are whole: nothing is declared that nobody tells or handles."""

import ast
import re

from tests.architecture.source import Source, dotted, names_used, python

DOMAIN = "src/bursar/domain/"
HANDLERS = "src/bursar/jobs/"
# Where a change is decided or written, and so where facts, tasks and due items come from.
DECIDERS = (DOMAIN, "src/bursar/operations/", "src/bursar/store/")
WIRE_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*\.[a-z]+(?:_[a-z]+)*")


def domain(name: str) -> Source:
    return next(source for source in python(DOMAIN) if source.path == f"{DOMAIN}{name}.py")


def descendants(source: Source, parent: str) -> list[ast.ClassDef]:
    """Classes of a file that inherit from `parent`, however far down."""
    family = {parent}
    found = []
    for node in source.tree.body:
        if isinstance(node, ast.ClassDef) and any(dotted(base) in family for base in node.bases):
            family.add(node.name)
            found.append(node)
    return found


def members(source: Source, enum: str) -> list[str]:
    """The names of an enumeration, as `Enum.NAME`."""
    classes = [
        node for node in source.tree.body if isinstance(node, ast.ClassDef) and node.name == enum
    ]
    assert classes, f"{source.path} has no {enum}"
    return [
        f"{enum}.{target.id}"
        for node in classes[0].body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]


def used_outside(owner: str, *roots: str) -> set[str]:
    found: set[str] = set()
    for source in python(*roots):
        if source.path != f"{DOMAIN}{owner}.py":
            found |= names_used(source)
            found |= {dotted(node) for node in source.nodes if isinstance(node, ast.Attribute)}
    return found


def test_events_are_told() -> None:
    # Every fact is told by some change, under a wire name of its own.
    events = descendants(domain("events"), "Event")
    told = used_outside("events", *DECIDERS)
    assert [one.name for one in events if one.name not in told] == []
    names = [
        node.value.value
        for one in events
        for node in one.body
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "name"
        and isinstance(node.value, ast.Constant)
    ]
    assert len(names) == len(set(names)) == len(events)
    assert [name for name in names if not WIRE_NAME.fullmatch(str(name))] == []


def test_facts_about_people_are_told() -> None:
    # Every fact of the door is told by an operation, and its page says when.
    told = used_outside("people", "src/bursar/operations/")
    source = domain("people")
    explained = {dotted(node) for node in source.nodes if isinstance(node, ast.Attribute)}
    facts = members(source, "AuthFact")
    assert facts
    assert [name for name in facts if name not in told] == []
    assert [name for name in facts if name not in explained] == []


def test_tasks_are_asked_for_and_handled() -> None:
    # Every task has someone who asks for it and a line among the handlers.
    tasks = [
        node.name
        for node in domain("tasks").tree.body
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(part, ast.AnnAssign) and ast.unparse(part.target) == "queue"
            for part in node.body
        )
        and "ClassVar" in ast.unparse(node)
    ]
    assert tasks, "no task was found"
    handled = used_outside("tasks", f"{HANDLERS}handlers")
    asked_for = used_outside("tasks", *DECIDERS, f"{HANDLERS}schedule", f"{HANDLERS}dispatch")
    assert [name for name in tasks if name not in handled] == [], "no handler"
    assert [name for name in tasks if name not in asked_for] == [], "nobody asks for it"


def test_refusals_are_raised() -> None:
    # Every refusal is raised somewhere; one that nobody meets is a promise about nothing.
    raised = used_outside("refusals", "src/bursar/")
    refusals = descendants(domain("refusals"), "Refusal")
    assert refusals, "no refusal was found"
    assert [one.name for one in refusals if one.name not in raised] == []


def test_permissions_guard_something() -> None:
    # Every permission is required by an operation or a read.
    required = used_outside(
        "access", "src/bursar/operations/", "src/bursar/reads/", "src/bursar/flows/"
    )
    assert [name for name in members(domain("access"), "Permission") if name not in required] == []


def test_due_work_is_done() -> None:
    # Every kind of due work is put on the agenda by someone and drained by someone.
    kinds = members(domain("agenda"), "DueKind")
    scheduled = used_outside("agenda", *DECIDERS)
    drained = used_outside("agenda", HANDLERS, "src/bursar/operations/", "src/bursar/flows/")
    assert [name for name in kinds if name not in scheduled] == [], (
        "nobody puts these on the agenda"
    )
    assert [name for name in kinds if name not in drained] == [], "nobody drains these"
