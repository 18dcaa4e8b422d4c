"""`/account/…`: where the links in our own mail lead, without an account or a script.

Looking at a page does nothing, for mail programs look first; only its button uses the token. A page
never says whose token it is, and nothing of it may be kept by a browser or told to another site.
"""

from typing import Final
from urllib.parse import parse_qs

from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Act, Edge, Wire, body_of, plain_endpoint
from bursar.api.errors import answer_for
from bursar.api.pages import page
from bursar.api.texts import text_fault
from bursar.api.trace import traced
from bursar.domain.access import Nobody
from bursar.domain.passwords import PasswordRefused
from bursar.flows.keep_account import confirm_address, replace_forgotten
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

VERIFY: Final = "/account/verify/{token}"
RESET: Final = "/account/reset/{token}"
INVITATION: Final = "/account/invitation/{token}"
_FORM_MAX: Final = 4_096
_PASSWORD: Final = "password"  # noqa: S105 - the name of a field, not a password
# Where a page leads on to, and in which words.
_IN: Final = ("/console/sign-in", "Sign in")


def account_routes(edge: Edge) -> list[HTTPRouteHandler]:
    """A page for each link, and what its button does."""

    async def confirm(request: Wire) -> Answer:
        await confirm_address(await _caller(edge, request), request.path_params["token"])
        return _notice(request, "Your address is confirmed", "You can close this page.")

    async def choose(request: Wire) -> Answer:
        caller = await _caller(edge, request)
        password = _field(await body_of(request), _PASSWORD)
        try:
            await replace_forgotten(caller, request.path_params["token"], password=password)
        except PasswordRefused as refused:
            return _show("reset.html", 400, said=f"{refused}.")
        told = "You were signed out everywhere; sign in again."
        return _notice(request, "Your password is changed", told, way=_IN)

    def shown(template: str) -> Act:
        async def show(request: Wire) -> Answer:
            await _caller(edge, request)
            return _show(template, 200, said="", token=request.path_params["token"])

        return show

    return [
        plain_endpoint("GET", VERIFY, shown("verify.html"), _failed),
        plain_endpoint("POST", VERIFY, confirm, _failed),
        plain_endpoint("GET", RESET, shown("reset.html"), _failed),
        plain_endpoint("POST", RESET, choose, _failed),
        plain_endpoint("GET", INVITATION, shown("invitation.html"), _failed),
    ]


async def _caller(edge: Edge, request: Wire) -> Caller:
    """Nobody we know, from an address that does not ask too often."""
    trace = traced(request.scope)
    await edge.limits.admit_address(request.scope, trace, f"{request.method} {trace.route}")
    return Caller(
        app=edge.app,
        org_id=None,
        actor=Nobody(),
        request_id=trace.request_id,
        address=edge.limits.address_of(request.scope),
    )


def _field(raw: bytes, name: str) -> str:
    """One field of a form; a missing or repeated one, or one that is no text, is empty."""
    if len(raw) > _FORM_MAX:
        return ""
    try:
        given = parse_qs(raw.decode("ascii"), errors="strict", max_num_fields=2).get(name, [])
    except ValueError:
        return ""
    return given[0] if len(given) == 1 and text_fault(given[0]) is None else ""


def _show(template: str, status: int, **context: object) -> Answer:
    return page(template, {"token": "", **context}, status=status)


def _notice(request: Wire, title: str, text: str, *, way: tuple[str, str] | None = None) -> Answer:
    context: dict[str, object] = {"title": title, "text": text, "way": way}
    return page("notice.html", {**context, "request_id": traced(request.scope).request_id})


def _failed(error: Exception, request: Wire) -> Answer:
    """The same refusal, on a page."""
    trace = traced(request.scope)
    answer = answer_for(error, trace)
    title, text = _WORDS.get(answer.status, _WORDS[500])
    way = _WAYS_ON.get((trace.route, answer.status))
    context: dict[str, object] = {"title": title, "text": text, "request_id": trace.request_id}
    shown = page("notice.html", {**context, "way": way}, status=answer.status)
    waits = tuple(pair for pair in answer.headers if pair[0] == "Retry-After")
    return Answer(shown.status, shown.body, shown.headers + waits)


# From a link that was used or is too old; one's account has the letter sent again.
_WAYS_ON: Final[dict[tuple[str | None, int], tuple[str, str]]] = {
    (RESET, 400): ("/console/forgot-password", "Ask for another link"),
    (VERIFY, 400): ("/console/account", "Look at your account"),
}
_WORDS: Final = {
    400: ("This link does not work any more", "It was used or is too old. Ask for another one."),
    429: ("One moment, please", "There were many tries from here. Wait a little and try again."),
    500: ("Something went wrong on our side", "Try again in a minute; nothing was changed."),
    503: ("Something is away for the moment", "Try again in a minute; nothing was changed."),
}
