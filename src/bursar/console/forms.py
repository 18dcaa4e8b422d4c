"""Forms: how one is read, and why it is trusted to be ours.

Two things must hold before anything is done: the browser says that the form was sent from our own
page, and the form carries what only a page of this very session could know.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from bursar.api.dispatch import Wire, body_of
from bursar.api.headers import header
from bursar.api.texts import text_fault
from bursar.console.passes import is_form_token
from bursar.console.visits import Visit
from bursar.domain.refusals import InvalidInput, NotAllowed

PROOF: Final = "_token"
KEY: Final = "_key"
REASON: Final = "_reason"
SECRETS: Final = frozenset({"password", "currentPassword"})
STEP: Final = "_step"
VERSION: Final = "_version"
_FIELDS_MAX: Final = 400
_FORM_MAX: Final = 100_000

Typed = Mapping[str, str]


async def read_form(request: Wire) -> dict[str, str]:
    """The fields of a form; the last of two with one name counts, as with a box and its hidden no.

    Raises:
        InvalidInput: it is no form, or a text in it is no text.
    """
    raw = await body_of(request)
    if len(raw) > _FORM_MAX:
        raise InvalidInput.at("form", "is too long", "too_long")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FIELDS_MAX,
        )
    except ValueError:
        raise InvalidInput.at("form", "cannot be read", "malformed") from None
    typed = {name: _as_meant(name, text=text) for name, text in pairs}
    for name, text in typed.items():
        fault = text_fault(text)
        if fault is not None:
            raise InvalidInput.at(name.removeprefix("_"), *fault)
    return typed


def _as_meant(name: str, *, text: str) -> str:
    """What was typed, without the blanks around it; those of a password belong to it."""
    return text if name in SECRETS else text.replace("\r\n", "\n").strip()


def require_own_page(request: Wire) -> None:
    """Refuse a form that another site sent.

    Raises:
        NotAllowed: the browser says so, or says nothing that shows the contrary.
    """
    site = header(request.scope, "Sec-Fetch-Site")
    if site is not None:
        is_own = site == "same-origin"
    else:
        origin = (header(request.scope, "Origin") or "").partition("://")[2]
        is_own = bool(origin) and origin == header(request.scope, "Host")
    if not is_own:
        raise NotAllowed("This form came from another site.")


def require_own_form(visit: Visit, typed: Typed) -> None:
    """Refuse a form that is not of this session.

    Raises:
        NotAllowed: another site's, or another session's.
    """
    require_own_page(visit.request)
    if not is_form_token(visit.app.keys, visit.given, typed.get(PROOF, "")):
        raise NotAllowed("This form is of another session; open the page again.")
