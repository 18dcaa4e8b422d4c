"""The watchdog: asks the provider's books what became of an attempt, and settles it.

It runs for every attempt that stays open, so an answer that was lost is found again.
"""

from bursar.domain.ids import PaymentId
from bursar.domain.payments import Payment
from bursar.domain.provider import CircuitOpen, LookupOutcome, Unknown
from bursar.operations.payments import (
    AskAboutPayment,
    SettlePayment,
    ask_about_payment,
    settle_payment,
)
from bursar.runtime.app import Caller


async def confirm_payment(caller: Caller, payment_id: PaymentId) -> Payment:
    """Ask once, settle what is answered, and leave the next question on the agenda."""
    payment, question = await caller.run(ask_about_payment, AskAboutPayment(payment_id))
    if not payment.is_open:
        return payment
    provider = caller.provider_named(payment.provider)
    outcome: LookupOutcome
    try:
        outcome = await provider.lookup(question)
    except CircuitOpen:
        outcome = Unknown("the line is down")
    return await caller.run(settle_payment, SettlePayment(payment.id, outcome, is_watch=True))
