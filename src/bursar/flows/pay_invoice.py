"""Collects what an invoice has due: begin, ask the provider, settle.

Nothing is asked before the attempt is written down, and whatever is answered goes through the same
door. The request that began an attempt rejoins it after a crash and sends the same key again.
"""

from collections.abc import Callable, Iterator

from bursar.domain.access import Permission
from bursar.domain.orgs import Mode
from bursar.domain.payments import Payment
from bursar.domain.provider import (
    ChargeRequest,
    CircuitOpen,
    LookupOutcome,
    PaymentProvider,
    Unknown,
)
from bursar.domain.refusals import PaymentInProgress, Unavailable
from bursar.operations.payments import (
    BeginPayment,
    Begun,
    SettlePayment,
    begin_payment,
    settle_payment,
)
from bursar.runtime import tracing
from bursar.runtime.app import App, Caller
from bursar.runtime.idempotency import Answer


async def pay_invoice(
    caller: Caller, command: BeginPayment, answer: Callable[[Payment], Answer] | None = None
) -> Payment:
    """One attempt, whatever the network does.

    Raises:
        PaymentInProgress: another attempt is open.
        Unavailable: the provider is known to be away; nothing was begun.
    """
    with tracing.span(f"payment.{command.mode.value}"):
        return await _paid(caller, command, answer)


async def _paid(
    caller: Caller, command: BeginPayment, answer: Callable[[Payment], Answer] | None
) -> Payment:
    def at_once(begun: Begun) -> Answer | None:
        is_final = begun.request is None and begun.supersedes is None
        return answer(begun.payment) if answer is not None and is_final else None

    begun = await caller.run(begin_payment, command, answer=at_once)
    if caller.is_dry_run:
        return begun.payment
    if begun.supersedes is not None:
        closed = await _close(caller.provider_named(begun.supersedes.provider), begun.supersedes)
        await caller.run(settle_payment, SettlePayment(begun.supersedes.id, closed))
        begun = await caller.run(begin_payment, command, answer=at_once)
        if begun.supersedes is not None:
            raise PaymentInProgress(
                f"Payment {begun.payment.id} could not be closed yet.",
                facts={"paymentId": begun.payment.id},
            )
    if begun.request is None:
        return begun.payment  # stored money paid; nothing leaves the house
    outcome: LookupOutcome = Unknown("nothing was asked")
    if begun.payment.is_open and begun.payment.checkout_url is None:
        outcome = await _ask(caller.provider_named(begun.payment.provider), begun)
    return await caller.run(settle_payment, SettlePayment(begun.payment.id, outcome), answer=answer)


async def refuse_if_away(caller: Caller, needs: Permission) -> None:
    """Say so before anything is begun, to whoever may do what needs this.

    Only the organization's own line counts: play money that cannot be played with stops no other.

    Raises:
        Unavailable: the provider's line is known to be down.
    """
    shut = dict(_shut_lines(caller.app))
    if not shut:
        return
    is_only_line = len(caller.app.providers) == 1
    own = next(iter(shut)) if is_only_line else await caller.own_mode(needs)
    if own in shut:
        wait = {"retryAfterSeconds": shut[own]}
        raise Unavailable("The payment provider is away.", facts=wait)


def _shut_lines(app: App) -> Iterator[tuple[Mode, int]]:
    for mode, provider in app.providers.items():
        try:
            provider.require_open_line()
        except CircuitOpen as away:
            yield mode, away.retry_after_seconds


async def _ask(provider: PaymentProvider, begun: Begun) -> LookupOutcome:
    try:
        if isinstance(begun.request, ChargeRequest):
            return await provider.charge(begun.request)
        assert begun.request is not None
        return await provider.open_checkout(begun.request)
    except CircuitOpen:
        return Unknown("the line is down; the watchdog asks later")


async def _close(provider: PaymentProvider, payment: Payment) -> LookupOutcome:
    try:
        if payment.session_reference is not None:
            return await provider.close_checkout(payment.session_reference)
        assert payment.provider_reference is not None, "it waits for the customer"
        return await provider.cancel_charge(payment.provider_reference)
    except CircuitOpen:
        return Unknown("the line is down")
