"""How an edge asks for a payment: who may pay where, under which name, and the way back.

A return URL leads to this installation and nowhere else, so that no link of ours becomes a way to
somebody else's page; outside production, this machine's own pages are allowed as well.
"""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from bursar.domain.access import Link
from bursar.domain.ids import InvoiceId
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import InvalidInput
from bursar.operations.payments import LINK_KEY, BeginPayment
from bursar.runtime.app import Caller
from bursar.runtime.ids import new_uuid
from bursar.runtime.settings import Settings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How somebody wants to pay, and where they want to be led back to."""

    mode: PaymentMode
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None


def begin_command(
    caller: Caller, invoice_id: InvoiceId, wish: Wish, *, back: str | None
) -> BeginPayment:
    """The command that begins an attempt at this invoice; `back` is the invoice's own page.

    Raises:
        InvalidInput: a return URL that leads elsewhere.
    """
    settings = caller.app.settings
    _require_own("successUrl", url=wish.success_url, settings=settings)
    _require_own("cancelUrl", url=wish.cancel_url, settings=settings)
    return BeginPayment(
        invoice_id=invoice_id,
        mode=wish.mode,
        attempt_key=_attempt_key(caller),
        providers={mode: provider.name for mode, provider in caller.app.providers.items()},
        return_url=back or settings.public_url,
        method_reference=wish.method_reference,
        success_url=wish.success_url,
        cancel_url=wish.cancel_url,
    )


def _attempt_key(caller: Caller) -> str:
    """Who rejoins the attempt: the same request sent again, or whoever holds the link."""
    if isinstance(caller.actor, Link):
        return LINK_KEY
    if caller.idempotency is not None:
        return f"key:{caller.idempotency.key}"
    return f"once:{new_uuid()}"


def _require_own(field: str, *, url: str | None, settings: Settings) -> None:
    if url is None:
        return
    try:
        parts = urlsplit(url)
        origin = (parts.scheme, parts.hostname, parts.port)
    except ValueError:
        raise InvalidInput.at(field, "expected an absolute URL", "malformed_url") from None
    own = urlsplit(settings.public_url)
    is_own = origin == (own.scheme, own.hostname, own.port)
    is_local = not settings.is_production and parts.hostname in _LOOPBACK
    if "@" in parts.netloc or not (is_own or is_local):
        message = f"must begin with {own.scheme}://{own.netloc}"
        raise InvalidInput.at(field, message, "url_not_allowed")
