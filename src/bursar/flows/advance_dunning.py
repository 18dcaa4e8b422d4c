"""Takes the step of dunning that is due; where that is a charge: begin, ask the provider, settle.

While the provider is known to be away nothing is begun, and nothing is counted: the step stays due
and is looked at again. What a try comes to goes through the one door of every payment.
"""

from bursar.domain.ids import InvoiceId
from bursar.domain.orgs import Mode
from bursar.domain.payments import PaymentMode
from bursar.domain.provider import ChargeRequest, CircuitOpen, LookupOutcome, Unknown
from bursar.domain.refusals import (
    CustomerHasNoMethod,
    NothingToPay,
    PaymentInProgress,
    ProviderNotConfigured,
    TaskSuperseded,
)
from bursar.operations.dunning import TakeStep, take_dunning_step
from bursar.operations.payments import (
    BeginPayment,
    Begun,
    SettlePayment,
    begin_payment,
    settle_payment,
)
from bursar.runtime.app import Caller


async def advance_dunning(caller: Caller, invoice_id: InvoiceId) -> None:
    """One step, if one is due."""
    due = await caller.run(take_dunning_step, TakeStep(invoice_id))
    if due is None or _is_away(caller, due.mode):
        return
    begun = await _begun(caller, invoice_id, due.key)
    if begun is None or not begun.payment.is_open:
        return
    assert isinstance(begun.request, ChargeRequest)
    outcome: LookupOutcome
    try:
        outcome = await caller.provider_named(begun.payment.provider).charge(begun.request)
    except CircuitOpen:
        outcome = Unknown("the line is down; the watchdog asks later")
    await caller.run(settle_payment, SettlePayment(begun.payment.id, outcome))


async def _begun(caller: Caller, invoice_id: InvoiceId, key: str) -> Begun | None:
    """The try, written down; nothing, when it is not wanted any more."""
    command = BeginPayment(
        invoice_id=invoice_id,
        mode=PaymentMode.CHARGE,
        attempt_key=key,
        providers=_names(caller),
        return_url=caller.app.settings.public_url,
        is_retry=True,
    )
    try:
        return await caller.run(begin_payment, command)
    except (
        CustomerHasNoMethod,
        NothingToPay,
        PaymentInProgress,
        ProviderNotConfigured,
        TaskSuperseded,
    ):
        return None


def _is_away(caller: Caller, mode: Mode) -> bool:
    provider = caller.app.providers.get(mode)
    try:
        if provider is not None:
            provider.require_open_line()
    except CircuitOpen:
        return True
    return False


def _names(caller: Caller) -> dict[Mode, str]:
    return {mode: provider.name for mode, provider in caller.app.providers.items()}
