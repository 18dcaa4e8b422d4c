"""The way back in for whoever forgot a password: one field, and one answer for everybody.

Asking is the API's own route, with its least time and on its allowance, so that neither words nor
time tell whether anybody has an address, and no door is wider than the other. What was typed is
not said again once it was sent. The letter leads to a page of `api.account_pages`.
"""

from typing import Final

from bursar.api.auth import NOBODY
from bursar.api.dispatch import Edge, Wire
from bursar.api.trace import traced
from bursar.console.asking import BY_NAME, Asker, Question
from bursar.console.forms import read_form, require_own_page
from bursar.console.pages import page, see_other
from bursar.domain.people import RESET_MINUTES
from bursar.domain.refusals import InvalidInput
from bursar.runtime.idempotency import Answer

FORGOTTEN: Final = "/console/forgot-password"
_ROUTE: Final = "forgotPassword"
_ASKED: Final = "asked"
_EMAIL: Final = "email"


async def forgotten_page(request: Wire) -> Answer:
    """The form; after it, the same words for everybody."""
    return _shown(is_asked=_ASKED in request.query_params)


async def letter_asked(edge: Edge, request: Wire) -> Answer:
    """Ask for the letter, as a program would; loading the page again asks for no other one."""
    typed = await read_form(request)
    require_own_page(request)
    await edge.limits.admit_address(request.scope, traced(request.scope), BY_NAME[_ROUTE].spot)
    email = typed.get(_EMAIL, "")
    asker = Asker(edge, request.scope, NOBODY)
    try:
        await asker.ask(Question(route=_ROUTE, body={_EMAIL: email}))
    except InvalidInput:
        return _shown(email=email, is_refused=True, status=400)
    return see_other(f"{FORGOTTEN}?{_ASKED}=1")


def _shown(*, status: int = 200, **context: object) -> Answer:
    around: dict[str, object] = {"email": "", "is_asked": False, "is_refused": False}
    return page("forgotten.html", around | {"minutes": RESET_MINUTES} | context, status=status)
