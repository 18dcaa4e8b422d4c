"""Fills a wallet: at once in a sandbox; else begin, ask the provider, settle.

The same three steps as for an invoice, and the same door for whatever is answered. A member's own
wallet needs membership only, so both ends of the journey have a sibling with that permission.
"""

from collections.abc import Callable

from bursar.domain.payments import Deposit
from bursar.domain.provider import ChargeRequest, CircuitOpen, LookupOutcome, Unknown
from bursar.operations.deposits import (
    BeginDeposit,
    DepositBegun,
    fill_own_wallet,
    fill_wallet,
)
from bursar.operations.payments import SettlePayment, settle_deposit, settle_own_deposit
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


async def deposit_money(
    caller: Caller,
    command: BeginDeposit,
    answer: Callable[[Deposit], Answer] | None = None,
    *,
    is_own: bool = False,
) -> Deposit:
    """One deposit, whatever the network does.

    Raises:
        WalletClosed, WrongCurrency, AmountTooLarge: the wallet does not take it.
        CustomerHasNoMethod: a charge, and nothing to charge.
    """

    def at_once(begun: DepositBegun) -> Answer | None:
        return answer(begun.deposit) if answer is not None and begun.request is None else None

    if is_own:
        begun = await caller.run(fill_own_wallet, command, answer=at_once)
    else:
        begun = await caller.run(fill_wallet, command, answer=at_once)
    payment = begun.deposit.payment
    if payment is None or caller.is_dry_run:
        return begun.deposit
    outcome: LookupOutcome = Unknown("nothing was asked")
    if payment.is_open and payment.checkout_url is None:
        outcome = await _ask(caller, payment.provider, begun)
    answered = SettlePayment(payment.id, outcome)
    if is_own:
        return await caller.run(settle_own_deposit, answered, answer=answer)
    return await caller.run(settle_deposit, answered, answer=answer)


async def _ask(caller: Caller, name: str, begun: DepositBegun) -> LookupOutcome:
    assert begun.request is not None
    provider = caller.provider_named(name)
    try:
        if isinstance(begun.request, ChargeRequest):
            return await provider.charge(begun.request)
        return await provider.open_checkout(begun.request)
    except CircuitOpen:
        return Unknown("the line is down; the watchdog asks later")
