"""Closes an attempt that only waits for the customer, when its invoice is gone."""

from bursar.domain.ids import PaymentId
from bursar.domain.provider import LookupOutcome, Unknown
from bursar.domain.refusals import ProviderFailed
from bursar.operations.payments import (
    AskAboutPayment,
    SettlePayment,
    ask_about_payment,
    settle_payment,
)
from bursar.runtime.app import Caller


async def close_attempt(caller: Caller, payment_id: PaymentId) -> None:
    """Expire the page or cancel the charge; money that came first is booked.

    Raises:
        ProviderFailed: no usable answer; the task tries again.
    """
    payment, _ = await caller.run(ask_about_payment, AskAboutPayment(payment_id))
    if not payment.is_open:
        return
    provider = caller.provider_named(payment.provider)
    outcome: LookupOutcome
    if payment.session_reference is not None:
        outcome = await provider.close_checkout(payment.session_reference)
    elif payment.provider_reference is not None:
        outcome = await provider.cancel_charge(payment.provider_reference)
    else:
        outcome = Unknown("the provider was not asked yet; the watchdog finds out")
    await caller.run(settle_payment, SettlePayment(payment.id, outcome))
    if isinstance(outcome, Unknown):
        raise ProviderFailed(f"The attempt could not be closed: {outcome.reason}")
