"""`/console/account`: what one signs in with, and where one is signed in; of nobody but oneself.

The routes are those of `/v1/auth`, with their waits and limits; what makes somebody safer or less
safe asks for the password again. Secrets and recovery codes are shown once, on the page that
answers, and no password ever comes back in a form.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
import segno

from bursar.api.trace import traced
from bursar.console.asking import AnsweredNo, Question, no_of
from bursar.console.fields import Entry, Form
from bursar.console.forms import read_form, require_own_form
from bursar.console.lists import Row, cells_of, table_of
from bursar.console.nouns.columns import flag, instant, text, wide
from bursar.console.nouns.shape import Deed, Part
from bursar.console.pages import inside, see_other
from bursar.console.recipes import Recipe
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.domain.refusals import NotFound, Refusal
from bursar.runtime.idempotency import Answer

ACCOUNT: Final = "/console/account"
_SESSION: Final = "sessionId"
_TITLE: Final = "Your account"

_PASSWORD: Final = Deed(
    slug="password",
    label="Change password",
    route="changeOwnPassword",
    words="Every other session ends, and you get a letter that says so.",
)
_ON: Final = Deed(
    slug="second-factor",
    label="Add a second factor",
    route="beginTotp",
    words="Whoever knows your password then also needs the code that your phone shows.",
    tone="main",
)
_CONFIRM: Final = Deed(
    slug="confirm",
    label="Confirm the second factor",
    route="confirmTotp",
    words="From now on a code is asked for whenever you sign in.",
    tone="main",
)
_OFF: Final = Deed(
    slug="second-factor-off",
    label="Remove the second factor",
    route="removeTotp",
    words="Your password alone opens your account again; your recovery codes are worth nothing.",
    tone="danger",
)
_VERIFY: Final = Deed(
    slug="verify",
    label="Send the letter again",
    route="resendVerification",
    words="It has a link that confirms your e-mail address, and comes at most three times an hour.",
)
_END: Final = Deed(
    slug="end",
    label="End this session",
    route="endOwnSession",
    words="It is signed out at once, wherever it is.",
    tone="danger",
)
DEEDS: Final = (_PASSWORD, _ON, _CONFIRM, _OFF, _VERIFY, _END)
_DONE: Final[Mapping[str, str]] = {
    "password": "Your password is changed, and every other session has ended.",
    "second-factor-off": "Your account has no second factor any more.",
    "verify": "If a letter was due, it is on its way.",
    "end": "The session has ended.",
}
_SESSIONS: Final = Part(
    title="Where you are signed in",
    columns=(
        wide("With", of="userAgent"),
        text("From", of="address"),
        flag("This one", of="isCurrent"),
        instant("Last used", of="lastUsedAt"),
        instant("Since", of="createdAt"),
    ),
)


async def account_page(visit: Visit) -> Answer:
    """Who one is, what one signs in with, and every session, each with its end."""
    sessions = await visit.asker.get("listSessions")
    shown = table_of(visit, _SESSIONS, sessions)
    rows = zip(shown.rows, sessions, strict=True)
    context: dict[str, object] = {
        "title": _TITLE,
        "place": ACCOUNT,
        "offered": [deed for deed in (_PASSWORD, _ON, _OFF, _VERIFY) if _is_offered(visit, deed)],
        "sessions": replace(shown, rows=tuple(_with_end(row, each) for row, each in rows)),
        "said": _DONE.get(visit.request.query_params.get("done", ""), ""),
        "recipes": _recipes(visit),
    }
    return inside(visit, "account.html", context)


def _with_end(row: Row, session: Mapping[str, Any]) -> Row:
    """A session with its button; one's own ends by signing out."""
    if session["isCurrent"]:
        return row
    place = f"{ACCOUNT}/{_END.slug}?{urlencode({_SESSION: session['id']})}"
    return replace(row, acts=(("End", place),))


def _recipes(visit: Visit) -> list[Recipe]:
    """How a program asks the same; a key is nobody's account, so it is a person's token."""
    url = f"{visit.app.settings.public_url}{Question(route='listSessions').path}"
    curl = f'curl {url} -H "Authorization: Bearer $ACCESS_TOKEN"'
    note = "With the token of POST /v1/auth/login: no key and no terminal is a person."
    return [Recipe("curl", curl, note)]


def _is_offered(visit: Visit, deed: Deed) -> bool:
    """Whether there is anything to press it for; the routes ask again."""
    has_factor = bool(visit.me["hasSecondFactor"])
    return {
        _ON.slug: not has_factor,
        _OFF.slug: has_factor,
        _VERIFY.slug: not visit.me["isEmailVerified"],
    }.get(deed.slug, True)


async def account_deed_page(visit: Visit) -> Answer:
    """What will happen, and a form for what proves that it is oneself."""
    form = Form(deed=_deed(visit), thing={}, eyes=visit.eyes)
    return await _asked(visit, form)


async def account_deed_done(visit: Visit) -> Answer:
    """The button pressed; back to one's account, on to what is shown once, or to the form."""
    typed = await read_form(visit.request)
    require_own_form(visit, typed)
    form = Form(deed=_deed(visit), thing={}, eyes=visit.eyes, typed=typed)
    question = Question(route=form.deed.route, ids=_ids(visit, form.deed), body=form.body)
    try:
        told: Any = (await visit.asker.ask(question)).get("data")
    except (Refusal, AnsweredNo) as refused:
        answer = no_of(refused, traced(visit.request.scope))
        error = msgspec.json.decode(answer.body)["error"]
        faults = {each["field"]: each["message"] for each in error.get("details", ())}
        faulty = replace(form, faults=faults)
        return await _asked(visit, faulty, said=error["message"], status=answer.status)
    if form.deed is _ON:
        return _begun(visit, told)
    if form.deed is _CONFIRM:
        context = {"title": _TITLE, "back": ACCOUNT, "codes": told["recoveryCodes"]}
        return inside(visit, "recovery_codes.html", context)
    return see_other(f"{ACCOUNT}?{urlencode({'done': form.deed.slug})}")


def _deed(visit: Visit) -> Deed:
    for deed in DEEDS:
        if deed.slug == visit.request.path_params["deed"]:
            return deed
    raise NotFound("No such page.")


def _ids(visit: Visit, deed: Deed) -> dict[str, str]:
    """Which session is meant; the address says it."""
    return {_SESSION: visit.request.query_params.get(_SESSION, "")} if deed is _END else {}


def _begun(visit: Visit, made: Mapping[str, str]) -> Answer:
    """What the authenticator is given, as a picture and as text, and a form for its first code."""
    picture = segno.make(made["uri"], error="m", micro=False)
    form = Form(deed=_CONFIRM, thing={}, eyes=visit.eyes)
    context = _around(visit, form) | {
        "action": f"{ACCOUNT}/{_CONFIRM.slug}",
        "picture": picture.svg_data_uri(scale=5, dark="#000", light="#fff"),
        "uri": made["uri"],
        "secret": made["secret"],
    }
    return inside(visit, "second_factor.html", context)


async def _asked(visit: Visit, form: Form, *, said: str = "", status: int = 200) -> Answer:
    context = _around(visit, form) | {
        "said": said,
        "request_id": traced(visit.request.scope).request_id if said else "",
        "about": await _about(visit) if form.deed is _END else [],
    }
    return inside(visit, "account_deed.html", context, status=status)


async def _about(visit: Visit) -> list[tuple[str, str]]:
    """Which session it is, in words.

    Raises:
        NotFound: none of one's own.
    """
    wanted = visit.request.query_params.get(_SESSION)
    for session in await visit.asker.get("listSessions"):
        if session["id"] == wanted:
            cells = cells_of(visit, _SESSIONS.columns, session)
            return [(cell.label, cell.text) for cell in cells]
    raise NotFound("No such session; it may have ended.")


def _around(visit: Visit, form: Form) -> dict[str, object]:
    """What a form of one's own account has, whichever it is."""
    query = visit.request.scope["query_string"].decode("latin-1")
    path = visit.request.scope["path"]
    return {
        "deed": form.deed,
        "title": _TITLE,
        "back": ACCOUNT,
        "entries": [_worded(form.deed, each) for each in form.entries],
        "action": f"{path}?{query}" if query else path,
        "totals": None,
        "said": "",
        "reason": "",
        "reason_fault": "",
        "key": "",
        "request_id": "",
        "about": [],
    }


def _worded(deed: Deed, entry: Entry) -> Entry:
    """The field as people know it, and as what fills in passwords knows it."""
    if deed is _PASSWORD and entry.name == "password":
        return replace(entry, label="New password", kind="new secret")
    if entry.name == "password":
        return replace(entry, label="Your password")
    return replace(entry, kind="code") if entry.name == "code" else entry
