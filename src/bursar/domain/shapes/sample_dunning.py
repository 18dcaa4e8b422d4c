"""The part of the samples' story in which a card is declined, and what comes of it by hand."""

from collections.abc import Iterator

from bursar.domain.change import Change
from bursar.domain.dunning import Decline, DunningCase, NewCase, Resolution, begin
from bursar.domain.dunning_policies import DunningPolicy
from bursar.domain.frozen import replace
from bursar.domain.ids import DunningCaseId
from bursar.domain.invoices import Invoice
from bursar.domain.money import Money
from bursar.domain.payments import Payment, PaymentMode, Receipt, ReceiptMethod
from bursar.domain.provider import DeclineKind
from bursar.domain.times import Instant


def dunning_story(invoice: Invoice, case_id: DunningCaseId, at: Instant) -> Iterator[Change]:
    """Everything that can happen to an invoice in dunning."""
    policy = DunningPolicy((60, 300, 1_800, 7_200, 43_200))
    broke = Decline(DeclineKind.RETRY, "insufficient_funds", "pm_1Rv8")
    stolen = Decline(DeclineKind.NEVER, "stolen_card", "pm_1Rv8")
    begun = begin(NewCase(case_id, invoice.id, invoice.customer_id, None, policy), broke, at)
    yield begun
    (case,) = begun.rows
    assert isinstance(case, DunningCase)
    yield case.fail(broke, at)
    yield case.fail(stolen, at)
    yield case.again(at)
    yield case.ask(at)
    paused = case.pause("Their bank is closed this week.", at)
    assert paused is not None
    yield paused
    (waiting,) = paused.rows
    assert isinstance(waiting, DunningCase)
    yield waiting.resume(at)
    yield case.resolve(Resolution.PAID, at)


def by_hand(attempt: Payment, at: Instant) -> Payment:
    """A part of what is due, as an accountant saw it come by bank transfer."""
    receipt = Receipt(ReceiptMethod.BANK_TRANSFER, at, "RF18 5390 0754 7034")
    return replace(
        attempt,
        mode=PaymentMode.MANUAL,
        provider=PaymentMode.MANUAL.value,
        amount=Money(1_000, attempt.amount.currency),
        receipt=receipt,
    )
