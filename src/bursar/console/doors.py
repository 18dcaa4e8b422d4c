"""In and out: the sign-in page with its second factor, and signing out.

Signing in is the API's own, with its waits and its limits; the tokens it gives are dropped, and
only the session they belong to is kept, sealed in the cookie. Between password and second factor
the proof so far travels sealed in the form, for five minutes, so it is typed once.
"""

import base64
import binascii
from datetime import timedelta
from typing import Any, Final

import msgspec

from bursar.api.auth import NOBODY
from bursar.api.dispatch import Edge, Wire
from bursar.api.errors import answer_for
from bursar.api.trace import traced
from bursar.console.asking import Asker, Question
from bursar.console.forms import read_form, require_own_form, require_own_page
from bursar.console.pages import page, see_other
from bursar.console.passes import Pass, cookie, no_cookie
from bursar.console.visits import Visit, is_secure, pass_of
from bursar.domain.ids import SessionId, UserId
from bursar.domain.refusals import NotFound, Refusal, SecondFactorRequired
from bursar.runtime.app import App
from bursar.runtime.clock import now
from bursar.runtime.console_links import DEMO_OWNER, is_kept, take_link
from bursar.runtime.crypto import Undecryptable
from bursar.runtime.idempotency import Answer
from bursar.runtime.tokens import BadToken

SIGN_IN: Final = "/console/sign-in"
HOME: Final = "/console"
LINK: Final = "/console/open/{ticket}"
_SET_COOKIE: Final = "Set-Cookie"
_PROOF_LABEL: Final = "console-proof"
_PROOF_LIFE: Final = timedelta(minutes=5)
_NEXT_MAX: Final = 2_000


async def sign_in_page(edge: Edge, request: Wire) -> Answer:
    """The form; whoever is in already goes home."""
    if pass_of(edge.app, request.scope) is not None and "ended" not in request.query_params:
        return see_other(HOME)
    said = "Your session has ended; sign in again." if "ended" in request.query_params else ""
    return _shown(next=request.query_params.get("next", ""), said=said, tone="plain")


async def signed_in(edge: Edge, request: Wire) -> Answer:
    """Password, then the second factor if there is one, then the cookie."""
    typed = await read_form(request)
    require_own_page(request)
    trace = traced(request.scope)
    await edge.limits.admit_address(request.scope, trace, "POST /v1/auth/login")
    body = _proof_so_far(edge.app, typed)
    if typed.get("code"):
        body["code"] = typed["code"].replace(" ", "")
    asker = Asker(edge, request.scope, NOBODY)
    try:
        told = (await asker.ask(Question(route="login", body=body)))["data"]
    except SecondFactorRequired as wanted:
        said = wanted.message if "code" in body else ""
        proof = _sealed(edge.app, body)
        return _shown(next=typed.get("next", ""), said=said, email=body["email"], proof=proof)
    except Refusal as refused:
        answer = answer_for(refused, trace)
        email = str(body.get("email", ""))
        return _shown(
            next=typed.get("next", ""), said=refused.message, email=email, status=answer.status
        )
    return _opened(edge.app, told["accessToken"], place=own_place(typed.get("next", "")))


async def link_page(edge: Edge, request: Wire) -> Answer:
    """The link that `bursar run` printed: looking at it does nothing, its button opens.

    Raises:
        NotFound: it was used, a later start made another, or this is no developer's machine.
    """
    trace = traced(request.scope)
    await edge.limits.admit_address(request.scope, trace, "POST /v1/auth/login")
    ticket = request.path_params["ticket"]
    settings = edge.app.settings
    if settings.is_production or not is_kept(settings.data_dir, ticket):
        raise NotFound("This link was used already, or a later start made another one.")
    return page("open.html", {"action": request.scope["path"]})


async def link_taken(edge: Edge, request: Wire) -> Answer:
    """In as the owner of the demo organization.

    Raises:
        NotFound: as for looking at it.
    """
    require_own_page(request)
    await link_page(edge, request)
    settings = edge.app.settings
    if not take_link(settings.data_dir, request.path_params["ticket"]):
        raise NotFound("This link was used already, or a later start made another one.")
    password = settings.derived("demo-owner").reveal()
    asker = Asker(edge, request.scope, NOBODY)
    body = {"email": DEMO_OWNER, "password": password}
    told = (await asker.ask(Question(route="login", body=body)))["data"]
    return _opened(edge.app, told["accessToken"], place=HOME)


async def signed_out(visit: Visit) -> Answer:
    """The session ends here and everywhere it was used."""
    typed = await read_form(visit.request)
    require_own_form(visit, typed)
    ids = {"sessionId": visit.given.session_id}
    await visit.asker.ask(Question(route="endOwnSession", ids=ids))
    return see_other(SIGN_IN, (_SET_COOKIE, no_cookie(is_secure=is_secure(visit.app))))


def own_place(text: str) -> str:
    """Where to go on: a place in the console, and nowhere else."""
    is_own = text == HOME or text.startswith((f"{HOME}/", f"{HOME}?"))
    is_plain = len(text) <= _NEXT_MAX and text.isascii() and text.isprintable()
    return text if is_own and is_plain and "\\" not in text else HOME


def _opened(app: App, access_token: str, *, place: str) -> Answer:
    """The way in, with the cookie of the session that the token is of."""
    moment = now()
    claims = app.access_tokens.read(access_token, moment)
    given = Pass(UserId(claims.subject), SessionId(claims.session_id), moment, moment)
    return see_other(place, (_SET_COOKIE, cookie(app.keys, given, is_secure=is_secure(app))))


def _proof_so_far(app: App, typed: dict[str, str]) -> dict[str, Any]:
    proof = typed.get("proof")
    if not proof:
        return {"email": typed.get("email", ""), "password": typed.get("password", "")}
    try:
        boxed = base64.urlsafe_b64decode(proof)
        told = msgspec.json.decode(app.keys.unbox(_PROOF_LABEL, boxed, context=b"form"))
    except (binascii.Error, ValueError, Undecryptable, BadToken):
        return {"email": "", "password": ""}
    if told.pop("until") < int(now().timestamp()):
        return {"email": told["email"], "password": ""}
    return dict(told)


def _sealed(app: App, body: dict[str, Any]) -> str:
    until = int((now() + _PROOF_LIFE).timestamp())
    plain = {"email": body["email"], "password": body["password"], "until": until}
    boxed = app.keys.box(_PROOF_LABEL, msgspec.json.encode(plain), context=b"form")
    return base64.urlsafe_b64encode(boxed).decode()


def _shown(*, status: int = 200, **context: object) -> Answer:
    around: dict[str, object] = {"said": "", "tone": "bad", "email": "", "proof": "", "next": ""}
    return page("sign_in.html", around | context, status=status)
