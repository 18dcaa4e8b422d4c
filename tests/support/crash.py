"""Crash points: counted from the source, passed at run time, and blown on demand.

Every `caller.run` and every call of a payment provider, webhook sender or mailer under flows, jobs
and api is a place; each place has its moments, and a place and a moment are a named point such as
`pay_invoice.charge.after_send_no_answer`. A crash is a `Crash` that unwinds the journey from such a
point: transactions roll back or have committed, and nothing of the process goes on.
"""

import ast
import inspect
import re
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any, Final

from msgspec import Struct
from tests.support.sandbox import InProcessClient

import bursar
from bursar.domain.frozen import replace
from bursar.domain.mails import Letter, Mailer, MailOutcome, PrintedMail
from bursar.domain.provider import PaymentProvider
from bursar.domain.sending import WebhookAnswer, WebhookRequest, WebhookSender
from bursar.runtime.batcher import SIZE_MAX, Act, Batcher
from bursar.runtime.connections import DatabaseAway

SOURCE: Final = Path(bursar.__path__[0])
FLOORS: Final = ("flows", "jobs", "api")
CALLER: Final = re.compile(r"(caller(\.as_org\(.*\))?|_system\(.*\))$")
COMMIT_MOMENTS: Final = ("before_commit", "after_commit")
SURVIVED: Final = "~"
_DEAD: Final = object()
_RUNS_HERE: Final = (ast.Await, ast.AsyncFor, ast.comprehension)
WIRE_MOMENTS: Final = ("before_send", "after_send_no_answer", "after_answer")


class Crash(BaseException):
    """The process is gone."""


class Failed(DatabaseAway):
    """Only the request failed: the process lives on, and lets go of what the request held."""


def asked_of(port: type) -> frozenset[str]:
    """The methods of a port that go over the wire."""
    return frozenset(
        name for name, method in vars(port).items() if inspect.iscoroutinefunction(method)
    )


PROVIDER_VERBS: Final = asked_of(PaymentProvider)
SENDER_VERBS: Final = asked_of(WebhookSender)
MAILER_VERBS: Final = asked_of(Mailer)


class Place(Struct, frozen=True):
    """One call in the source: the statement around it, what it calls, and its name."""

    path: str
    lines: tuple[int, int]
    verb: str
    name: str
    moments: tuple[str, ...]

    def holds(self, line: int) -> bool:
        first, last = self.lines
        return first <= line <= last

    @property
    def points(self) -> tuple[str, ...]:
        return tuple(f"{self.name}.{moment}" for moment in self.moments)


class _Found(Struct, frozen=True):
    """A call that may be a place. `verb` is what is run or asked."""

    path: Path
    lines: tuple[int, int]
    verb: str
    moments: tuple[str, ...]


class Places:
    """Every place, and which of them a running stack is at."""

    def __init__(self, places: tuple[Place, ...], convoys: frozenset[str]) -> None:
        self._by_path: dict[str, list[Place]] = {}
        # A convoy runs for many at once, on nobody's stack: its name is all that leads to a place.
        self._convoys = {place.verb: place for place in places if place.verb in convoys}
        for place in places:
            self._by_path.setdefault(place.path, []).append(place)
        self.points = frozenset(point for place in places for point in place.points)

    def at(self, frame: FrameType | None, verb: str) -> Place | None:
        """The innermost place on the stack that calls this verb."""
        while frame is not None:
            for place in self._by_path.get(frame.f_code.co_filename, ()):
                if place.verb == verb and place.holds(frame.f_lineno):
                    return place
            frame = frame.f_back
        return self._convoys.get(verb)


@cache
def known_places() -> Places:
    """The places of the source as it stands."""
    files = [path for floor in FLOORS for path in sorted((SOURCE / floor).rglob("*.py"))]
    trees = {path: ast.parse(path.read_text()) for path in files}
    forwarders = _forwarders(list(trees.values()))
    found = [one for path, tree in trees.items() for one in _found(path, tree, forwarders)]
    calls = (node for tree in trees.values() for node in ast.walk(tree))
    convoys = frozenset(verb for verb in map(_ridden_verb, calls) if verb is not None)
    return Places(tuple(_named(found)), convoys)


def _named(found: list[_Found]) -> Iterator[Place]:
    """A second call of one verb in one module is `#2`."""
    seen: Counter[str] = Counter()
    for one in found:
        name = f"{one.path.stem}.{one.verb}"
        seen[name] += 1
        if seen[name] > 1:
            name = f"{name}#{seen[name]}"
        yield Place(str(one.path), one.lines, one.verb, name, one.moments)


def _forwarders(trees: Sequence[ast.AST]) -> dict[str, int]:
    """Functions that run whatever verb they are given, or pass it on; with the verb's position."""
    functions = [
        (node.name, [argument.arg for argument in node.args.args], _calls(node))
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    known: dict[str, int] = {}
    while True:
        found = {
            name: taken.index(verb)
            for name, taken, calls in functions
            for call in calls
            if (verb := _run_verb(call) or _forwarded_verb(call, known)) in taken
        }
        if found == known:
            return known
        known = found


def _found(path: Path, tree: ast.Module, forwarders: Mapping[str, int]) -> Iterator[_Found]:
    above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    for call in sorted(_calls(tree), key=lambda each: (each.lineno, each.col_offset)):
        passed_on = _forwarded_verb(call, forwarders)
        verb = _run_verb(call) or _ridden_verb(call) or passed_on
        asked = _asked_verb(call)
        if verb is None and asked is None:
            continue
        around = list(_around(call, above))
        assert passed_on is None or isinstance(around[0], _RUNS_HERE), "it is run where it stands"
        if verb is not None and verb not in _taken(around):
            yield _Found(path, _lines(call, around), verb, COMMIT_MOMENTS)
        if asked is not None:
            yield _Found(path, _lines(call, around), asked, WIRE_MOMENTS)


def _calls(tree: ast.AST) -> list[ast.Call]:
    return [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


def _around(node: ast.AST, above: Mapping[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in above:
        node = above[node]
        yield node


def _lines(call: ast.Call, around: list[ast.AST]) -> tuple[int, int]:
    """From the beginning of the statement around a call to the end of it, or of its header."""
    statement = next(node for node in around if isinstance(node, ast.stmt))
    is_whole = not isinstance(statement, ast.If | ast.For | ast.While | ast.With | ast.Match)
    end = (statement if is_whole else call).end_lineno
    return statement.lineno, end or call.lineno


def _taken(around: list[ast.AST]) -> set[str]:
    """Every parameter that is in sight."""
    functions = (node for node in around if isinstance(node, ast.AsyncFunctionDef))
    return {argument.arg for function in functions for argument in function.args.args}


def _run_verb(node: ast.AST) -> str | None:
    """The verb of `….caller.run(verb, …)`, and of a caller's that acts for an organization."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    if node.func.attr != "run" or not CALLER.search(ast.unparse(node.func.value)):
        return None
    assert isinstance(node.args[0], ast.Name), "a verb is run by its name"
    return node.args[0].id


def _ridden_verb(node: ast.AST) -> str | None:
    """The verb of `ride(verb, …)`."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    if node.func.id != "ride":
        return None
    assert isinstance(node.args[0], ast.Name), "a convoy is called by its name"
    return node.args[0].id


def _forwarded_verb(node: ast.AST, forwarders: Mapping[str, int]) -> str | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return None
    position = forwarders.get(node.func.id)
    if position is None:
        return None
    verb = node.args[position]
    assert isinstance(verb, ast.Name), "a verb is passed on by its name"
    return verb.id


def _asked_verb(node: ast.AST) -> str | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    name = node.func.attr
    if name not in PROVIDER_VERBS | MAILER_VERBS | SENDER_VERBS:
        return None  # to write out all the others is most of the work
    asked = ast.unparse(node.func.value)
    if name in PROVIDER_VERBS and "provider" in asked:
        return name
    if name in MAILER_VERBS and "mailer" in asked:
        return name
    return name if name in SENDER_VERBS and "sender" in asked else None


class Fault(Struct, frozen=True):
    """The process dies when it passes a point for the `nth` time; or the request fails there."""

    point: str
    nth: int
    is_fatal: bool = True

    def __str__(self) -> str:
        return f"{self.point}:{self.nth}{'' if self.is_fatal else SURVIVED}"

    @classmethod
    def read(cls, text: str) -> "Fault":
        point, _, nth = text.removesuffix(SURVIVED).rpartition(":")
        return cls(point, int(nth), not text.endswith(SURVIVED))

    def survived(self) -> "Fault":
        """The same place; nobody dies there."""
        return replace(self, is_fatal=False)

    @property
    def is_survivable(self) -> bool:
        """Whether our own code can meet a failure there; what the line swallows is another play."""
        return not self.point.endswith("after_send_no_answer")


@dataclass
class Fuse:
    """Notes every point that is passed, and blows at the armed ones.

    Once blown, every further point of the same life blows too: a dead process does nothing more.
    """

    places: Places = field(default_factory=known_places)
    passed: list[Fault] = field(default_factory=list)
    is_noting: bool = False
    is_blown: bool = False
    blown: int = 0
    failed: int = 0
    strangers: set[str] = field(default_factory=set)
    interlude: Callable[[str], Awaitable[None]] | None = None
    _armed: set[Fault] = field(default_factory=set)
    _count: Counter[str] = field(default_factory=Counter)

    def arm(self, *faults: Fault) -> None:
        """Begin a story in which the process dies at these points."""
        self.passed, self._count, self._armed = [], Counter(), set(faults)
        self.is_noting, self.is_blown, self.blown, self.failed = True, False, 0, 0

    def disarm(self) -> None:
        """The story is over: nothing is noted and nothing blows."""
        self.is_noting, self.is_blown = False, False

    def revive(self) -> None:
        """A new process begins."""
        self.is_blown = False

    async def checkpoint(self, point: str) -> None:
        """What the application calls at `<verb>.<moment>`."""
        if self.is_noting:
            verb, _, moment = point.partition(".")
            await self.reach(verb, moment)

    async def reach(self, verb: str, moment: str) -> None:
        """Pass the point of this verb and moment that the stack is at.

        Raises:
            Crash: here the process dies, or is dead already.
            Failed: here the request fails.
        """
        if not self.is_noting:
            return
        if self.is_blown:
            raise Crash
        place = self.places.at(sys._getframe(1), verb)
        if place is None:
            self.strangers.add(f"{verb}.{moment}")
            return
        point = f"{place.name}.{moment}"
        self._count[point] += 1
        fault = Fault(point, self._count[point])
        self.passed.append(fault)
        if fault in self._armed:
            self.is_blown, self.blown = True, self.blown + 1
            raise Crash
        if fault.survived() in self._armed:
            self.failed += 1
            raise Failed(point)
        if self.interlude is not None:
            await self.interlude(point)


_IS_ABOARD: Final[ContextVar[bool]] = ContextVar("is_aboard", default=False)


class TappedBatcher(Batcher):
    """Whoever waits for a convoy dies with it, as all of a process does.

    Who asks in the midst of a convoy plays another process, which has convoys of its own.
    """

    async def submit(
        self, key: Hashable, item: object, act: Act, *, lanes: int = 1, size_max: int = SIZE_MAX
    ) -> Any:
        if _IS_ABOARD.get():
            (answer,) = await act([item])
            if isinstance(answer, Exception):
                raise answer
            return answer

        async def dying(batch: Sequence[Any]) -> Sequence[Any]:
            _IS_ABOARD.set(True)
            try:
                return await act(batch)
            except Crash:
                return [_DEAD] * len(batch)

        answer = await super().submit(key, item, dying, lanes=lanes, size_max=size_max)
        if answer is _DEAD:
            raise Crash
        return answer


class Tapped:
    """A stranger behind the port, whose every call passes the points of the wire."""

    def __init__(self, inner: Any, fuse: Fuse, verbs: frozenset[str]) -> None:
        self._inner = inner
        self._fuse = fuse
        self._verbs = verbs
        self.asking: list[str] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in self._verbs:
            return found

        async def asked(*arguments: object, **named: object) -> object:
            await self._fuse.reach(name, "before_send")
            self.asking.append(name)
            try:
                answer = await found(*arguments, **named)
            finally:
                self.asking.pop()
            await self._fuse.reach(name, "after_answer")
            return answer

        return asked


@dataclass
class TappedSender:
    """A sender whose receiver has the bytes before the answer is on its way."""

    inner: WebhookSender
    fuse: Fuse

    async def send(self, request: WebhookRequest) -> WebhookAnswer:
        await self.fuse.reach("send", "before_send")
        answer = await self.inner.send(request)
        await self.fuse.reach("send", "after_send_no_answer")
        await self.fuse.reach("send", "after_answer")
        return answer


@dataclass
class TappedMailer(Mailer):
    """A mailer whose server has the letter before the answer is on its way."""

    inner: Mailer
    fuse: Fuse

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def takes_files(self) -> bool:
        return self.inner.takes_files

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self.inner.print_letter(letter)

    async def send(self, letter: Letter) -> MailOutcome:
        await self.fuse.reach("send", "before_send")
        outcome = await self.inner.send(letter)
        await self.fuse.reach("send", "after_send_no_answer")
        await self.fuse.reach("send", "after_answer")
        return outcome


class TappedWire(InProcessClient):
    """The line to the processor: it acts, and the answer may never come home."""

    fuse: Fuse
    provider: Tapped
    spoil: Callable[[str, str, Any], tuple[dict[str, str], Any]] | None = None
    before: Callable[[str, str], Awaitable[None]] | None = None
    after: Callable[[str, str], Awaitable[None]] | None = None

    async def request_async(
        self, method: str, url: str, headers: Mapping[str, str], post_data: Any = None
    ) -> tuple[bytes, int, Mapping[str, str]]:
        sent = dict(headers)
        if self.spoil is not None:
            more, post_data = self.spoil(method, url, post_data)
            sent |= more
        if self.before is not None:
            await self.before(method, url)
        response = self._send(method, url, sent, post_data)
        if self.after is not None:
            await self.after(method, url)
        if self.provider.asking:
            await self.fuse.reach(self.provider.asking[-1], "after_send_no_answer")
        return self._read(response)
