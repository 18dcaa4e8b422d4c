"""How an edge asks for a payment: who may pay where, under which name, and the way back.

A return URL leads to this installation and nowhere else, so that no link of ours becomes a way to
somebody else's page; outside production, this machine's own pages are allowed as well.
"""

from typing import Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from bursar.api.envelope import Reply, resource
from bursar.api.errors import answer_for
from bursar.api.trace import Trace
from bursar.domain.access import Link
from bursar.domain.currencies import Currency
from bursar.domain.ids import InvoiceId, WalletId
from bursar.domain.orgs import Mode
from bursar.domain.payments import Deposit, Payment, PaymentMode, PaymentStatus
from bursar.domain.refusals import InvalidInput, PaymentDeclined
from bursar.domain.shapes.payments import PaymentOut
from bursar.domain.shapes.wallets import WalletOut
from bursar.operations.deposits import BeginDeposit
from bursar.operations.payments import LINK_KEY, BeginPayment
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer
from bursar.runtime.ids import new_uuid
from bursar.runtime.settings import Settings

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


class Wish(Struct, frozen=True, kw_only=True):
    """How somebody wants to pay, and where they want to be led back to."""

    mode: PaymentMode
    method_reference: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    wallet_id: WalletId | None = None


class PaymentStarted(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """The attempt, and where the customer must go, if anywhere."""

    payment: PaymentOut
    checkout_url: str | None
    next_action_url: str | None

    @classmethod
    def of(cls, payment: Payment) -> "PaymentStarted":
        """What is told of an attempt."""
        return cls(
            payment=PaymentOut.of(payment),
            checkout_url=payment.checkout_url,
            next_action_url=payment.next_action_url,
        )


class DepositOut(WalletOut, frozen=True, kw_only=True):
    """The wallet, and the attempt that fills it; without one the money is in it already."""

    payment: PaymentOut | None
    checkout_url: str | None
    next_action_url: str | None

    @classmethod
    def of_deposit(cls, deposit: Deposit) -> "DepositOut":
        """What is told of a deposit."""
        wallet, payment = WalletOut.of(deposit.wallet), deposit.payment
        return cls(
            **{name: getattr(wallet, name) for name in wallet.__struct_fields__},
            payment=None if payment is None else PaymentOut.of(payment),
            checkout_url=None if payment is None else payment.checkout_url,
            next_action_url=None if payment is None else payment.next_action_url,
        )


def paid_reply(caller: Caller) -> Reply[Payment]:
    """What an attempt's state means to whoever asked for it."""

    def reply(payment: Payment) -> Answer:
        return _reply(caller, payment, PaymentStarted.of(payment))

    return reply


def deposited_reply(caller: Caller) -> Reply[Deposit]:
    """The same for a deposit: at once it is done, otherwise its attempt says."""

    def reply(deposit: Deposit) -> Answer:
        shape = DepositOut.of_deposit(deposit)
        return (
            resource(shape) if deposit.payment is None else _reply(caller, deposit.payment, shape)
        )

    return reply


def _reply(caller: Caller, payment: Payment, shape: msgspec.Struct) -> Answer:
    if payment.status is PaymentStatus.FAILED:
        return answer_for(_declined(payment), Trace(caller.request_id))
    return resource(shape, status=_status(payment, is_dry_run=caller.is_dry_run))


def _status(payment: Payment, *, is_dry_run: bool) -> int:
    if is_dry_run:
        return 200
    if payment.mode is PaymentMode.CHECKOUT and payment.checkout_url is not None:
        return 201
    is_open = payment.status in {PaymentStatus.PENDING, PaymentStatus.PROCESSING}
    return 202 if is_open else 200


def _declined(payment: Payment) -> PaymentDeclined:
    facts: dict[str, object] = {"paymentId": payment.id, "declineCode": payment.failure_code}
    return PaymentDeclined(payment.failure_message or "The payment was declined.", facts=facts)


def deposit_command(
    caller: Caller, wallet_id: WalletId, *, cents: int, currency: Currency | None, wish: Wish | None
) -> BeginDeposit:
    """The command that fills this wallet; without a wish, the way it comes is the house's choice.

    Raises:
        InvalidInput: a return URL that leads elsewhere.
    """
    settings = caller.app.settings
    urls = {} if wish is None else {"successUrl": wish.success_url, "cancelUrl": wish.cancel_url}
    for field, url in urls.items():
        _require_own(field, url=url, settings=settings)
    return BeginDeposit(
        wallet_id=wallet_id,
        amount_minor=cents,
        currency=currency,
        mode=None if wish is None else wish.mode,
        attempt_key=attempt_key(caller),
        providers=_providers(caller),
        return_url=settings.public_url,
        method_reference=None if wish is None else wish.method_reference,
        success_url=None if wish is None else wish.success_url,
        cancel_url=None if wish is None else wish.cancel_url,
    )


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
        attempt_key=attempt_key(caller),
        providers=_providers(caller),
        return_url=back or settings.public_url,
        method_reference=wish.method_reference,
        success_url=wish.success_url,
        cancel_url=wish.cancel_url,
        wallet_id=wish.wallet_id,
    )


def own_return_url(caller: Caller, url: str | None) -> str:
    """Where a cardholder comes back to; without a wish, to this installation.

    Raises:
        InvalidInput: it leads elsewhere.
    """
    settings = caller.app.settings
    _require_own("returnUrl", url=url, settings=settings)
    return url or settings.public_url


def _providers(caller: Caller) -> dict[Mode, str]:
    return {mode: provider.name for mode, provider in caller.app.providers.items()}


def attempt_key(caller: Caller) -> str:
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
