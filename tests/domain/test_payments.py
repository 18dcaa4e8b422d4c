"""The one door for an answer: whatever comes, in any order, money is booked once and never lost."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from tests.domain.nouns import (
    AT,
    LATER,
    NUMBER,
    USD,
    a_draft,
    an_attempt,
    an_invoice,
    an_open_invoice,
    an_open_page,
    the,
    told,
)

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.frozen import replace
from bursar.domain.invoices import Invoice, InvoiceStatus
from bursar.domain.ledger import Posting, entry_sums
from bursar.domain.money import Money
from bursar.domain.payment_beginnings import begin
from bursar.domain.payments import (
    HOLDS_MONEY,
    OPEN,
    TRANSITIONS,
    WATCH_STEPS,
    WATCH_WAITING,
    Payment,
    PaymentMode,
    PaymentStatus,
)
from bursar.domain.provider import (
    ActionRequired,
    CheckoutOpened,
    Closed,
    Declined,
    DeclineKind,
    LookupOutcome,
    NotFound,
    Processing,
    Succeeded,
    Unknown,
)
from bursar.domain.refusals import IllegalTransition, NothingToPay
from bursar.domain.times import Instant

INVOICE = an_open_invoice(1000)
MONEY = Succeeded("pi_1", INVOICE.due)
DECLINED = Declined("card_declined", "The card was declined.", DeclineKind.RETRY, "pi_1")
ACTION = ActionRequired("pi_1", "https://pay.example/3ds")
PROCESSING = Processing("pi_1")
PAGE = CheckoutOpened("cs_1", "https://pay.example/cs_1", AT + timedelta(hours=1))
NOTHING_NEW = None
GONE = [status for status in InvoiceStatus if status is not InvoiceStatus.OPEN]

# What each answer makes of a charge in each state; None: it says nothing new.
CHARGE_TABLE: dict[str, dict[str, str | None]] = {
    "succeeded": {
        "pending": "succeeded",
        "requires_action": "succeeded",
        "processing": "succeeded",
        "failed": "succeeded",
    },
    "declined": {"pending": "failed", "requires_action": "failed", "processing": "failed"},
    "closed": {"pending": "failed", "requires_action": "failed", "processing": "failed"},
    "not_found": {"pending": "failed", "requires_action": "failed", "processing": "failed"},
    "action_required": {"pending": "requires_action"},
    "processing": {"pending": "processing", "requires_action": "processing"},
    "unknown": {},
}
ANSWERS: dict[str, LookupOutcome] = {
    "succeeded": MONEY,
    "declined": DECLINED,
    "closed": Closed("pi_1"),
    "not_found": NotFound(),
    "action_required": ACTION,
    "processing": PROCESSING,
    "unknown": Unknown("timeout"),
}


def in_state(status: PaymentStatus) -> Payment:
    return an_attempt(INVOICE, status=status, settled_at=None if status in OPEN else AT)


@pytest.mark.parametrize(("before", "after"), [*product(PaymentStatus, PaymentStatus)])
def test_every_pair_of_states_is_allowed_or_refused_by_the_table(
    before: PaymentStatus, after: PaymentStatus
) -> None:
    # A step is one version later, or a refusal that says where one is and where one may go.
    payment = in_state(before)
    if after in TRANSITIONS[before]:
        moved = payment.to(after)
        assert (moved.status, moved.version) == (after, payment.version + 1)
        return
    with pytest.raises(IllegalTransition) as refused:
        payment.to(after)
    assert refused.value.facts == {
        "currentStatus": before.value,
        "allowedTransitions": [each.value for each in TRANSITIONS[before]],
    }


def test_money_is_never_left_behind_by_a_transition() -> None:
    # From a state that holds money no step leads to one that does not, nor back to an open one.
    for before, afters in TRANSITIONS.items():
        assert before not in HOLDS_MONEY or set(afters) <= HOLDS_MONEY
        assert before in OPEN or OPEN.isdisjoint(afters)
    assert set(TRANSITIONS) == set(PaymentStatus)


@pytest.mark.parametrize(("answer", "status"), [*product(ANSWERS, PaymentStatus)])
def test_settling_a_charge_follows_the_table(answer: str, status: PaymentStatus) -> None:
    # Every answer in every state: one step forward, or nothing.
    change = in_state(status).settle(INVOICE, ANSWERS[answer], AT)
    expected = CHARGE_TABLE[answer].get(status.value)
    assert (None if change is None else the(Payment, change).status.value) == expected


@pytest.mark.parametrize("status", sorted(OPEN))
def test_money_pays_the_invoice_and_is_booked_once(status: PaymentStatus) -> None:
    # Payment and invoice, one posting, both facts, and the watchdog is called off.
    change = in_state(status).settle(INVOICE, MONEY, LATER)
    payment, invoice = the(Payment, change), the(Invoice, change)
    assert change is not None
    assert (payment.settled_at, payment.provider_reference) == (LATER, "pi_1")
    assert (invoice.status, invoice.due.minor) == (InvoiceStatus.PAID, 0)
    assert [posting.kind for posting in change.postings] == ["payment_succeeded"]
    assert told(change) == ["payment.succeeded", "invoice.paid"]
    assert change.agenda == (Undue(DueKind.WATCH_PAYMENT, payment.id),)
    assert payment.settle(invoice, MONEY, LATER) is NOTHING_NEW


@pytest.mark.parametrize(
    ("status", "gone"),
    [*product([*sorted(OPEN), PaymentStatus.FAILED], GONE)],
)
def test_money_for_an_invoice_that_went_another_way_becomes_credit(
    status: PaymentStatus, gone: InvoiceStatus
) -> None:
    # Void, paid by another attempt, written off: the money is the customer's, never dropped.
    change = in_state(status).settle(an_invoice(gone), MONEY, AT)
    assert change is not None
    assert the(Payment, change).is_credited
    assert [posting.kind for posting in change.postings] == ["overpayment"]
    assert told(change) == ["payment.succeeded"]


@pytest.mark.parametrize("brought", [Money(999, USD), Money(1001, USD)])
def test_another_amount_than_due_is_booked_as_it_is_and_pays_nothing(brought: Money) -> None:
    # What the provider's books say is what ours say; the invoice stays open.
    change = in_state(PaymentStatus.PENDING).settle(INVOICE, Succeeded("pi_1", brought), AT)
    payment = the(Payment, change)
    assert (payment.amount, payment.is_credited) == (brought, True)
    assert told(change) == ["payment.succeeded"]


def test_late_money_still_pays_an_invoice_that_waits() -> None:
    # The attempt was given up, the invoice is still open for the same amount: it is paid.
    change = in_state(PaymentStatus.FAILED).settle(INVOICE, MONEY, LATER)
    assert the(Invoice, change).status is InvoiceStatus.PAID
    assert not the(Payment, change).is_credited


def test_an_open_page_takes_another_card() -> None:
    # A decline there is noted and ends nothing; told twice, it is noted once.
    page = an_open_page(INVOICE)
    noted = page.settle(INVOICE, DECLINED, AT)
    after = the(Payment, noted)
    assert (after.status, after.failure_code) == (PaymentStatus.PENDING, "card_declined")
    assert told(noted) == ["payment.updated"]
    assert after.settle(INVOICE, DECLINED, AT) is NOTHING_NEW
    assert page.settle(INVOICE, ACTION, AT) is NOTHING_NEW
    assert the(Payment, after.settle(INVOICE, MONEY, AT)).status is PaymentStatus.SUCCEEDED


def test_a_card_refused_on_a_page_ends_nothing_whatever_is_known_of_the_page() -> None:
    # Its address may have been lost on the way here, while the customer has it before them.
    refused = replace(DECLINED, is_on_page=True)
    attempt = an_attempt(INVOICE, mode=PaymentMode.CHECKOUT)
    after = the(Payment, attempt.settle(INVOICE, refused, AT))
    assert (after.status, after.failure_code) == (PaymentStatus.PENDING, "card_declined")
    paid = the(Payment, after.settle(INVOICE, MONEY, AT))
    assert (paid.status, paid.failure_code) == (PaymentStatus.SUCCEEDED, None)
    processing = an_open_page(INVOICE, status=PaymentStatus.PROCESSING)
    assert processing.settle(INVOICE, refused, AT) is NOTHING_NEW


def test_a_page_that_is_done_takes_no_other_card() -> None:
    # Completed and still processing, or past its expiry: a decline is the end of the attempt.
    completed = an_open_page(INVOICE, status=PaymentStatus.PROCESSING)
    assert told(completed.settle(INVOICE, DECLINED, AT)) == ["payment.failed"]
    expired = an_open_page(INVOICE)
    assert told(expired.settle(INVOICE, DECLINED, AT + timedelta(hours=1))) == ["payment.failed"]
    assert told(an_open_page(INVOICE).settle(INVOICE, Closed(), AT)) == ["payment.failed"]


def test_a_page_is_opened_once() -> None:
    # The first answer brings the link; a repeated one changes nothing.
    attempt = an_attempt(INVOICE, mode=PaymentMode.CHECKOUT)
    opened = the(Payment, attempt.settle(INVOICE, PAGE, AT))
    assert (opened.checkout_url, opened.session_reference) == (PAGE.url, PAGE.reference)
    assert opened.expires_at == PAGE.expires_at
    assert opened.settle(INVOICE, PAGE, AT) is NOTHING_NEW


def test_a_decline_keeps_what_a_person_must_know() -> None:
    # Code, words, kind and the provider's reference, bounded as the columns are.
    long = Declined("c" * 200, "m" * 900, DeclineKind.NEW_METHOD, "pi_9")
    failed = the(Payment, an_attempt(INVOICE).settle(INVOICE, long, LATER))
    assert (len(failed.failure_code or ""), len(failed.failure_message or "")) == (100, 500)
    assert (failed.decline_kind, failed.provider_reference) == ("new_method", "pi_9")
    assert failed.settled_at == LATER
    noted = the(Payment, an_open_page(INVOICE).settle(INVOICE, long, AT))
    assert (len(noted.failure_code or ""), len(noted.failure_message or "")) == (100, 500)


@pytest.mark.parametrize("status", GONE)
def test_only_an_open_invoice_is_collected(status: InvoiceStatus) -> None:
    # A draft, a paid, a void one: there is nothing to pay, and the refusal says why.
    invoice = an_invoice(status)
    with pytest.raises(NothingToPay) as refused:
        begin(an_attempt(invoice), invoice, wall=AT)
    assert refused.value.facts == {"currentStatus": status.value}


def test_an_attempt_begins_with_a_watchdog() -> None:
    # Row, fact and the moment to ask again become true together.
    change = begin(an_attempt(INVOICE), INVOICE, wall=AT)
    assert told(change) == ["payment.attempted"]
    assert change.agenda == (Due(DueKind.WATCH_PAYMENT, "pay_1", AT + WATCH_STEPS[0]),)


def test_the_watchdog_asks_less_and_less_often() -> None:
    # Through its steps to the last one; a technical failure is no step; waiting people get an hour.
    attempt, delays = an_attempt(INVOICE), []
    for _ in range(len(WATCH_STEPS) + 1):
        delays.append(attempt.watch_delay)
        attempt = the(Payment, attempt.watch(AT, technical_failure=False))
    assert delays == [*WATCH_STEPS, WATCH_STEPS[-1]]
    first = an_attempt(INVOICE)
    again = first.watch(AT, technical_failure=True)
    assert the(Payment, again).watch_step == 0
    assert again.agenda == (Due(DueKind.WATCH_PAYMENT, first.id, AT + WATCH_STEPS[0]),)
    assert an_open_page(INVOICE).watch_delay == WATCH_WAITING
    assert in_state(PaymentStatus.PROCESSING).watch_delay == WATCH_WAITING


RANK = {
    PaymentStatus.PENDING: 0,
    PaymentStatus.REQUIRES_ACTION: 1,
    PaymentStatus.PROCESSING: 2,
    PaymentStatus.FAILED: 3,
    PaymentStatus.SUCCEEDED: 4,
}
NOT_MONEY = [PAGE, *(answer for answer in ANSWERS.values() if answer is not MONEY)]
MOMENTS = st.sampled_from([AT, AT + timedelta(minutes=30), LATER])
AMOUNTS = st.sampled_from([Money(1000, USD), Money(1000, USD), Money(400, USD)])


class Answers(RuleBasedStateMachine):
    """One invoice, several attempts, and every answer at every moment, as often as it likes."""

    def __init__(self) -> None:
        super().__init__()
        finalized = a_draft(1000).finalize(NUMBER, due_at=LATER, at=AT)
        self.invoice = the(Invoice, finalized)
        self.attempts: list[Payment] = []
        self.postings: list[Posting] = list(finalized.postings)
        self.brought: dict[str, Money] = {}

    @initialize(is_page=st.booleans())
    def begin_once(self, is_page: bool) -> None:
        self.begin(is_page)

    @precondition(lambda self: not any(one.is_open for one in self.attempts))
    @rule(is_page=st.booleans())
    def begin_again(self, is_page: bool) -> None:
        if self.invoice.status is InvoiceStatus.OPEN:
            self.begin(is_page)
            return
        with pytest.raises(NothingToPay):
            self.begin(is_page)

    @rule(which=st.integers(0, 9), amount=st.none() | AMOUNTS, at=MOMENTS)
    def money(self, which: int, amount: Money | None, at: Instant) -> None:
        if amount is None:
            return  # money is rarer than answers, or nothing would happen before it
        attempt = self.attempts[which % len(self.attempts)]
        # A provider's books do not change their mind about an amount.
        brought = self.brought.setdefault(attempt.id, amount)
        self.settle(attempt, Succeeded(f"pi_{attempt.id}", brought), at)

    @rule(which=st.integers(0, 9), answer=st.sampled_from(NOT_MONEY), at=MOMENTS)
    def no_money(self, which: int, answer: LookupOutcome, at: Instant) -> None:
        attempt = self.attempts[which % len(self.attempts)]
        if attempt.mode is PaymentMode.CHECKOUT or answer is not PAGE:
            self.settle(attempt, answer, at)

    @precondition(lambda self: self.invoice.status is InvoiceStatus.OPEN)
    @rule(is_meant=st.sampled_from([True, False, False, False]))
    def void(self, is_meant: bool) -> None:
        if is_meant:
            self.take(self.invoice.void(LATER))

    def begin(self, is_page: bool) -> None:
        mode = PaymentMode.CHECKOUT if is_page else PaymentMode.CHARGE
        attempt = an_attempt(self.invoice, len(self.attempts) + 1, mode=mode)
        self.take(begin(attempt, self.invoice, wall=AT))

    def settle(self, before: Payment, answer: LookupOutcome, at: Instant) -> None:
        change = before.settle(self.invoice, answer, at)
        if change is None:
            return
        after = the(Payment, change)
        assert RANK[after.status] >= RANK[before.status], "never backwards"
        assert after.version == before.version + 1
        self.take(change)

    def take(self, change: Change) -> None:
        for row in change.rows:
            if isinstance(row, Invoice):
                self.invoice = row
            if isinstance(row, Payment):
                others = [one for one in self.attempts if one.id != row.id]
                self.attempts = sorted([*others, row], key=lambda one: int(one.id[4:]))
        self.postings += change.postings

    @invariant()
    def nothing_is_booked_twice(self) -> None:
        keys = [posting.key for posting in self.postings]
        assert len(keys) == len(set(keys))

    @invariant()
    def the_provider_holds_exactly_what_came(self) -> None:
        held = [one for one in self.attempts if one.status in HOLDS_MONEY]
        assert self.balance("processor:") == sum(money.minor for money in self.brought.values())
        # Every payment the provider ever succeeded in is in the books, whatever came before it.
        assert {one.id for one in held} == set(self.brought)

    @invariant()
    def paid_means_that_the_money_is_here(self) -> None:
        applied = sum(
            one.amount.minor
            for one in self.attempts
            if one.status in HOLDS_MONEY and not one.is_credited
        )
        assert applied == self.invoice.paid.minor
        is_paid = self.invoice.status is InvoiceStatus.PAID
        assert is_paid == (applied == self.invoice.total.minor)

    @invariant()
    def the_books_say_what_is_owed(self) -> None:
        is_open = self.invoice.status is InvoiceStatus.OPEN
        assert self.balance("receivable:") == (self.invoice.due.minor if is_open else 0)
        credited = [one for one in self.attempts if one.is_credited]
        assert -self.balance("credit:") == sum(one.amount.minor for one in credited)

    @invariant()
    def one_attempt_is_open_at_most(self) -> None:
        assert sum(one.is_open for one in self.attempts) <= 1

    def balance(self, prefix: str) -> int:
        sums = entry_sums(self.postings)
        return sum(minor for account, minor in sums.items() if account.code.startswith(prefix))


TestAnswers = Answers.TestCase
TestAnswers.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
