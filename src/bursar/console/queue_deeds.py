"""The buttons of `/admin/queues`: dead letters tried again or thrown away, queues halted.

Each has a page that says what will happen, and shows which letters or which queue it is about; the
route behind it tells nobody but an operator that there is anything.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from bursar.api.trace import traced
from bursar.console.asking import AnsweredNo, Question, no_of
from bursar.console.fields import Form
from bursar.console.forms import KEY, REASON, Typed, read_form, require_own_form
from bursar.console.nouns.shape import Deed
from bursar.console.pages import QUEUES, inside, see_other
from bursar.console.visits import Visit
from bursar.domain.refusals import InvalidInput, NotFound, Refusal
from bursar.runtime.idempotency import Answer
from bursar.runtime.ids import new_uuid

_LETTERS: Final = "jobIds"
_LETTER_MAX: Final = 16
_ABOUT: Final = ("queue", "kind", "error", _LETTERS)

DEEDS: Final = (
    Deed(
        slug="retry",
        label="Try again",
        route="retryDeadLetters",
        words="The task gets all its attempts again, and begins at once.",
        given={_LETTERS: _LETTERS},
        tone="main",
    ),
    Deed(
        slug="retry-alike",
        label="Try all again",
        route="retryDeadLettersAlike",
        words="Every task that failed like this one is tried again, so many a second.",
        given={"queue": "queue", "kind": "kind", "error": "error"},
        tone="main",
    ),
    Deed(
        slug="discard",
        label="Throw away",
        route="discardDeadLetters",
        words="What the task would have done is not done, now or later.",
        given={_LETTERS: _LETTERS},
        needs_reason=True,
        tone="danger",
    ),
    Deed(
        slug="pause",
        label="Halt",
        route="pauseOneQueue",
        words="Nobody works this queue until it goes on; what comes waits.",
        given={"queue": "queue"},
        needs_reason=True,
        tone="danger",
    ),
    Deed(
        slug="resume",
        label="Go on",
        route="resumeOneQueue",
        words="What waited is worked, oldest first.",
        given={"queue": "queue"},
        tone="main",
    ),
)


def leading_to(slug: str, about: Mapping[str, Any]) -> tuple[str, str]:
    """A button's label, and where its page is for this letter, group or queue."""
    deed = _deed(slug)
    return deed.label, f"{QUEUES}/{slug}?{urlencode({name: about[name] for name in deed.given})}"


async def queue_deed_page(visit: Visit) -> Answer:
    """What will happen, and a form for why.

    Raises:
        NotFound: no such button, or somebody who does not run this installation.
    """
    deed = _deed(visit.request.path_params["deed"])
    await visit.asker.get("listQueues")
    about = _about(visit.request.query_params)
    return _asked(visit, Form(deed=deed, thing=about, eyes=visit.eyes))


async def queue_deed_done(visit: Visit) -> Answer:
    """The button pressed; back to the queues, or to the form with what was wrong."""
    deed = _deed(visit.request.path_params["deed"])
    typed = await read_form(visit.request)
    require_own_form(visit, typed)
    form = Form(deed=deed, thing=_about(typed), eyes=visit.eyes, typed=typed)
    try:
        question = Question(route=deed.route, body=_body(form, typed), key=typed.get(KEY, ""))
        await visit.asker.ask(question)
    except NotFound:
        raise
    except (Refusal, AnsweredNo) as refused:
        answer = no_of(refused, traced(visit.request.scope))
        told = msgspec.json.decode(answer.body)["error"]
        return _asked(visit, form, said=told["message"], status=answer.status)
    return see_other(QUEUES)


def _about(told: Mapping[str, str]) -> dict[str, str]:
    """The letters or the queue that an address or a form names."""
    return {name: told[name] for name in _ABOUT if told.get(name)}


def _deed(slug: str) -> Deed:
    for deed in DEEDS:
        if deed.slug == slug:
            return deed
    raise NotFound("No such page.")


def _body(form: Form, typed: Typed) -> dict[str, Any]:
    """What the route takes; the number of a letter is a number.

    Raises:
        InvalidInput: it is none, or no reason was given where one is asked for.
    """
    if form.deed.needs_reason and not typed.get(REASON):
        raise InvalidInput.at(REASON, "say why, for those who look later", "required")
    body = form.body or {}
    if _LETTERS not in body:
        return body
    number = str(body[_LETTERS])
    if not (number.isascii() and number.isdecimal() and len(number) <= _LETTER_MAX):
        raise InvalidInput.at(_LETTERS, "expected the number of a letter", "wrong_format")
    return body | {_LETTERS: [int(number)]}


def _asked(visit: Visit, form: Form, *, said: str = "", status: int = 200) -> Answer:
    typed = form.typed or {}
    entries = form.entries
    context: dict[str, object] = {
        "deed": form.deed,
        "title": "Queues",
        "back": QUEUES,
        "entries": entries,
        "about": [(each.label, each.value) for each in entries if each.kind == "fixed"],
        "action": visit.request.scope["path"],
        "totals": None,
        "said": said,
        "reason": typed.get(REASON, ""),
        "reason_fault": "",
        "key": str(new_uuid()),
        "request_id": traced(visit.request.scope).request_id if said else "",
    }
    return inside(visit, "deed_about.html", context, status=status)
