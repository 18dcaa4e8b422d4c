"""Draws `commands.md` and `checks.md` of `docs/reference/` from the command line itself.

What most verbs take alike is explained once, on the page; `COMMON` names it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import typer
from tests.support.page_parts import page, table

from bursar import main
from bursar.cli import demo, run
from bursar.cli.deferred import Deferred
from bursar.cli.failing import Exit
from bursar.cli.programs import Programs
from bursar.cli.root import build_root
from bursar.cli.verifying import BOOKS, HEADS
from bursar.reads.verify import CHAIN, CHECKS, COVERED, DERIVED
from bursar.runtime.release import VERSION

ENDINGS: Final = {
    Exit.DONE: "done",
    Exit.FAILED: "failed; a bug leaves its traceback",
    Exit.USAGE: "the command line, a setting or the schema does not fit",
    Exit.NOT_FOUND: "no such thing",
    Exit.NOT_ALLOWED: "not allowed",
    Exit.CONFLICT: "the state of things does not allow it, or the card was declined",
    Exit.INVALID: "the input is malformed",
    Exit.UNREACHABLE: "something it talks to does not answer",
    Exit.PROBLEMS: "a check found problems",
}
COMMON: Final = {
    "--org": "the organization (`org_…`); needed where there are several",
    "--format": "`table`, `json`, `jsonl` or `csv`; a table on a terminal, else JSON",
    "--reason": "why, for the audit log",
    "--limit": "how many at most",
    "--dry-run": "run the real thing and take it back: say what would happen",
    "--yes": "do not ask; where there is no terminal nobody can be asked",
    "--quiet": "no words, only data",
}


@dataclass(frozen=True, slots=True)
class Verb:
    """One command as the page shows it."""

    name: str
    does: str
    takes: str


@dataclass(frozen=True, slots=True)
class Noun:
    """A group of commands; the programs have no noun."""

    name: str
    about: str
    verbs: tuple[Verb, ...]


def checks() -> str:
    """What `bursar verify` looks at."""
    within = (*(name for name, _ in CHECKS), COVERED, DERIVED, CHAIN)
    return page(
        "Checks",
        "What `bursar verify` looks at, organization by organization. Each check says how much it "
        "looked at and names what is wrong by id; exit code 9 says that something is. What each of "
        "them means is in [ledger](../domain/ledger.md) and [events](../domain/events.md).",
        "## The database beside itself, in one snapshot",
        table(("check",), ((name,) for name in within)),
        "## Beside what is elsewhere",
        table(
            ("check", "beside"),
            ((BOOKS, "the payment provider's list"), (HEADS, "`anchors.jsonl` in `DATA_DIR`")),
        ),
    )


def commands() -> str:
    """Every verb of the command line."""
    parts: list[str] = []
    for noun in nouns():
        begins = f"bursar {noun.name}".strip()
        rows = (
            (f"`{begins} {verb.name}`", verb.does, f"`{verb.takes}`" if verb.takes else "")
            for verb in noun.verbs
        )
        parts += [f"## {begins}", noun.about, table(("command", "does", "takes"), rows)]
    return page(
        "Commands",
        "The same verbs as the API has, in process, as `cli:<user>` in the log. Data goes to "
        "standard output, words to standard error. `bursar <noun> <verb> --help` says more of each "
        "option; what stands in brackets may be left out.",
        "## What they have in common",
        table(
            ("option", "means"),
            ((f"`{name}`", meaning) for name, meaning in COMMON.items()),
        ),
        "## How they end",
        table(
            ("exit code", "means"),
            ((str(code.value), meaning) for code, meaning in ENDINGS.items()),
        ),
        *filter(None, parts),
    )


def nouns() -> Iterator[Noun]:
    """Every command, those without a noun first."""
    commands: Mapping[str, Any] = {
        name: found.loaded() if isinstance(found, Deferred) else found
        for name, found in build_root(Programs(main.opened, VERSION)).commands.items()
    }
    apart = {"run": run.command, "demo": demo.command}
    alone = {
        name: typer.main.get_command(apart[name]) if name in apart else found
        for name, found in commands.items()
        if not hasattr(found, "commands")
    }
    yield Noun("", "", tuple(_verb(name, found) for name, found in sorted(alone.items())))
    for name, group in commands.items():
        if name not in alone:
            verbs = tuple(_verb(verb, found) for verb, found in sorted(group.commands.items()))
            yield Noun(name, group.help, verbs)


def _verb(name: str, command: Any) -> Verb:
    does = " ".join(command.help.partition("\n\n")[0].split())
    told = [each for each in command.params if not getattr(each, "hidden", False)]
    return Verb(name, does, " ".join(_spelled(each) for each in told if each.name != "help"))


def _spelled(parameter: Any) -> str:
    """As a usage line has it: what may be left out stands in brackets."""
    name: str = parameter.opts[-1]
    is_flag = getattr(parameter, "is_flag", True)  # an argument has no value of its own name
    text = name if name.startswith("--") else name.upper()
    text = text if is_flag else f"{text} …"
    return text if parameter.required else f"[{text}]"
