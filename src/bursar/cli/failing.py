"""How a command ends when something stands in its way: one line on stderr and an exit code.

A code says what sort of thing it was, so that a script need not read the line. Bugs are not
explained: they keep their traceback and end with 1.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from typing import Final

from bursar.domain.refusals import Kind, Refusal
from bursar.runtime.backups import BackupFailed
from bursar.runtime.embedded import EmbeddedFailed
from bursar.runtime.listening import CannotListen
from bursar.runtime.schema import DatabaseUnreachable, SchemaUnfit
from bursar.runtime.settings_sources import SettingsInvalid


class Exit(IntEnum):
    """What a script can tell from the code alone."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_ALLOWED = 4
    CONFLICT = 5
    INVALID = 6
    UNREACHABLE = 7
    PROBLEMS = 9


class Misused(Exception):
    """The command line leaves something open that only its author can decide."""


class Unreachable(Exception):
    """Somebody this command talks to does not answer."""


_REFUSED: Final[Mapping[Kind, Exit]] = {
    Kind.INVALID: Exit.INVALID,
    Kind.UNAUTHENTICATED: Exit.NOT_ALLOWED,
    Kind.DECLINED: Exit.CONFLICT,
    Kind.FORBIDDEN: Exit.NOT_ALLOWED,
    Kind.NOT_FOUND: Exit.NOT_FOUND,
    Kind.CONFLICT: Exit.CONFLICT,
    Kind.INSUFFICIENT_FUNDS: Exit.CONFLICT,
    Kind.IN_PROGRESS: Exit.CONFLICT,
    Kind.MISMATCH: Exit.CONFLICT,
    Kind.PRECONDITION: Exit.CONFLICT,
    Kind.TOO_LARGE: Exit.INVALID,
    Kind.UNSUPPORTED: Exit.INVALID,
    Kind.TOO_MANY: Exit.UNREACHABLE,
    Kind.PROVIDER: Exit.UNREACHABLE,
    Kind.UNAVAILABLE: Exit.UNREACHABLE,
}
_MET: Final[Mapping[type[Exception], Exit]] = {
    SettingsInvalid: Exit.USAGE,
    SchemaUnfit: Exit.USAGE,
    Misused: Exit.USAGE,
    CannotListen: Exit.FAILED,
    BackupFailed: Exit.FAILED,
    EmbeddedFailed: Exit.UNREACHABLE,
    DatabaseUnreachable: Exit.UNREACHABLE,
    Unreachable: Exit.UNREACHABLE,
}


@contextmanager
def explained(more: Mapping[type[Exception], Exit] | None = None) -> Iterator[None]:
    """End the program in the house's way for whatever it knows how to explain."""
    known = {**_MET, **(more or {})}
    try:
        yield
    except Refusal as refusal:
        _end(_REFUSED[refusal.kind], _with_details(refusal))
    except BrokenPipeError:
        # Whoever read our output has enough of it; nothing of it is flushed again at the exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.DONE)
    except tuple(known) as met:
        code = next(code for kind, code in known.items() if isinstance(met, kind))
        _end(code, str(met) or type(met).__name__)


def _with_details(refusal: Refusal) -> str:
    fields = [f"{detail.field}: {detail.message}" for detail in refusal.details]
    return "; ".join(dict.fromkeys((refusal.message, *fields)))


def _end(code: Exit, line: str) -> None:
    sys.stderr.write(f"bursar: {' '.join(line.split())}\n")
    sys.exit(code)
