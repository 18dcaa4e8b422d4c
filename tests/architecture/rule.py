"""What a rule is: a law in one sentence, the files it binds, a check, and samples that prove it.

A rule carries `caught`, code that must break it, and `free`, code that must not; test_rules.py
runs both beside the repository itself, so a rule that has gone blind fails like broken code.
"""

import fnmatch
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.architecture.source import Offence, Source

Check = Callable[[Source], Iterator[Offence]]


@dataclass(frozen=True, slots=True)
class Sample:
    """A file that is only imagined, under the path at which the rule would meet it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    name: str
    law: str
    binds: tuple[str, ...]
    check: Check
    except_for: tuple[str, ...] = ()
    caught: tuple[Sample, ...] = field(default=())
    free: tuple[Sample, ...] = field(default=())

    def covers(self, path: str) -> bool:
        """Tell whether the file is bound; `*` crosses folders."""
        return any(fnmatch.fnmatchcase(path, one) for one in self.binds) and not any(
            fnmatch.fnmatchcase(path, one) for one in self.except_for
        )

    def offences(self, source: Source) -> list[Offence]:
        return list(self.check(source)) if self.covers(source.path) else []


SRC = ("src/*.py",)
BURSAR = ("src/bursar/*.py",)
DOMAIN = ("src/bursar/domain/*.py",)
ALL_PYTHON = ("src/*.py", "tests/*.py", "bench/*.py")
