"""What every payment provider must do: one suite, run against whatever implements the port.

`Processor` is the far side as a test moves it: its clock, its faults, its hosted page, its books.
"""

import asyncio
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Protocol

import pytest
from tests.providers.scripted import (
    AMOUNT,
    ORG,
    PAYMENT,
    a_charge,
    a_checkout,
    a_customer,
)

from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import OrgId, PaymentId
from bursar.domain.money import Money
from bursar.domain.provider import (
    BadSignature,
    ChargeRequest,
    CheckoutOpened,
    CheckoutRequest,
    Closed,
    CustomerRequest,
    Declined,
    DeclineKind,
    Linked,
    LookupRequest,
    MethodAttached,
    NotFound,
    PaymentProvider,
    Processing,
    ProviderEvent,
    ProviderEventKind,
    Succeeded,
    Unknown,
)
from bursar.domain.times import Instant

GOOD_CARD = "4242424242424242"
SHORT_CARD = "4000000000009995"
SLOW_CARD = "4000900000000011"
ASKING_CARD = "4000002760003184"
LATE = timedelta(hours=23, minutes=1)
OTHER_ORG = OrgId("org_01900000-0000-7000-8000-0000000000aa")


class Processor(Protocol):
    """The far side of a provider under test."""

    provider: PaymentProvider

    @property
    def now(self) -> Instant: ...

    def advance(self, span: timedelta) -> None: ...

    def break_next(self, kind: str, value: int = 0) -> None: ...

    def type_card(self, url: str, number: str) -> str: ...

    def pass_challenge(self, url: str) -> None: ...

    def events(self) -> list[tuple[bytes, str]]: ...

    def charges_of(self, payment_id: PaymentId) -> int: ...

    def posts(self) -> int: ...


def read_all(processor: Processor) -> list[ProviderEvent]:
    provider, now = processor.provider, processor.now
    return [provider.read_event(body, header, now) for body, header in processor.events()]


def claims(events: Iterable[ProviderEvent]) -> list[Any]:
    return [event.outcome for event in events if event.kind is ProviderEventKind.PAYMENT]


class ProviderContract:
    """Inherit it and give it a `processor` fixture."""

    async def customer(self, processor: Processor, method: str = "pm_card_visa") -> str:
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        attached = await processor.provider.attach_method(linked.reference, token=method)
        assert isinstance(attached, MethodAttached)
        return linked.reference

    async def a_charge(
        self, processor: Processor, method: str = "pm_card_visa", **changes: Any
    ) -> ChargeRequest:
        customer = await self.customer(processor, method)
        return a_charge(customer_reference=customer, method_reference=None, **changes)

    async def a_checkout(self, processor: Processor) -> tuple[CheckoutRequest, CheckoutOpened]:
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        request = a_checkout(customer_reference=linked.reference)
        opened = await processor.provider.open_checkout(request)
        assert isinstance(opened, CheckoutOpened)
        return request, opened

    def lookup(
        self, processor: Processor, sent: ChargeRequest | CheckoutRequest, **changes: Any
    ) -> LookupRequest:
        request = LookupRequest(
            org_id=sent.org_id,
            payment_id=sent.payment_id,
            amount=sent.amount,
            created_at=processor.now,
            now=processor.now,
            customer_reference=sent.customer_reference,
            resend=sent,
        )
        return replace(request, **changes)

    async def test_a_good_card_is_charged(self, processor: Processor) -> None:
        # The answer names the intent and what the processor's books hold.
        outcome = await processor.provider.charge(await self.a_charge(processor))
        assert isinstance(outcome, Succeeded)
        assert outcome.amount == AMOUNT
        assert processor.charges_of(PAYMENT) == 1

    @pytest.mark.parametrize(
        ("amount", "code"),
        [(50, "usd"), (500, "jpy"), (5_120, "kwd"), (500, "isk"), (99_999, "eur")],
    )
    async def test_amounts_come_back_as_they_went(
        self, processor: Processor, amount: int, code: str
    ) -> None:
        # Zero, two and three decimals, and currencies the processor counts in its own way.
        money = Money(amount, Currency(code))
        outcome = await processor.provider.charge(await self.a_charge(processor, amount=money))
        assert isinstance(outcome, Succeeded)
        assert outcome.amount == money

    @pytest.mark.parametrize(
        ("code", "kind"),
        [
            ("generic_decline", DeclineKind.RETRY),
            ("insufficient_funds", DeclineKind.RETRY),
            ("card_velocity_exceeded", DeclineKind.RETRY),
            ("processing_error", DeclineKind.RETRY),
            ("expired_card", DeclineKind.NEW_METHOD),
            ("incorrect_cvc", DeclineKind.NEW_METHOD),
            ("lost_card", DeclineKind.NEVER),
            ("stolen_card", DeclineKind.NEVER),
            ("fraudulent", DeclineKind.NEVER),
        ],
    )
    async def test_a_refused_card_is_an_answer(
        self, processor: Processor, code: str, kind: DeclineKind
    ) -> None:
        # The code, a sentence and what may be done about it; no money moved, now or later.
        request = await self.a_charge(processor, f"pm_sandbox_later_{code}")
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Declined)
        assert (outcome.code, outcome.kind) == (code, kind)
        assert outcome.message
        again = await processor.provider.lookup(
            self.lookup(processor, request, reference=outcome.reference)
        )
        assert again == outcome
        assert processor.charges_of(PAYMENT) == 0

    async def test_a_card_that_must_be_asked_says_so(self, processor: Processor) -> None:
        # Nobody is there to be asked: declined, with the cardholder's presence as the remedy.
        request = await self.a_charge(processor, "pm_card_authenticationRequired")
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Declined)
        assert outcome.kind is DeclineKind.AUTHENTICATION

    @pytest.mark.parametrize(
        ("method", "later"),
        [
            ("pm_sandbox_processing_60", Succeeded),
            ("pm_sandbox_processing_60_insufficient_funds", Declined),
        ],
    )
    async def test_a_slow_charge_settles_later(
        self, processor: Processor, method: str, later: type
    ) -> None:
        # Processing until the processor decides; the event and the lookup then agree.
        request = await self.a_charge(processor, method)
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Processing)
        processor.events()
        processor.advance(timedelta(seconds=61))
        asked = self.lookup(processor, request, reference=outcome.reference)
        found = await processor.provider.lookup(asked)
        assert isinstance(found, later)
        assert claims(read_all(processor)) == [found]

    async def test_a_customer_without_method_is_declined(self, processor: Processor) -> None:
        # Nothing is sent; a method is what is missing.
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        request = a_charge(customer_reference=linked.reference, method_reference=None)
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Declined)
        assert outcome.kind is DeclineKind.NEW_METHOD

    async def test_one_key_is_one_charge(self, processor: Processor) -> None:
        # Twenty times the same request, at once and again: the same answer, one charge.
        request = await self.a_charge(processor)
        outcomes = await asyncio.gather(*[processor.provider.charge(request) for _ in range(20)])
        outcomes.append(await processor.provider.charge(request))
        assert len({str(outcome) for outcome in outcomes}) == 1
        assert isinstance(outcomes[0], Succeeded)
        assert processor.charges_of(PAYMENT) == 1

    async def test_one_key_with_another_amount_is_no_charge(self, processor: Processor) -> None:
        # A bug of ours must not move money twice.
        request = await self.a_charge(processor)
        await processor.provider.charge(request)
        other = replace(request, amount=Money(1, AMOUNT.currency))
        assert isinstance(await processor.provider.charge(other), Unknown)
        assert processor.charges_of(PAYMENT) == 1

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ("drop_after", 0),
            ("delay", 30_000),
            ("error_after", 500),
            ("error_after", 502),
            ("error_after", 503),
            ("drop_before", 0),
            ("error_before", 500),
            ("rate_limit", 0),
            ("conflict", 0),
        ],
    )
    async def test_a_lost_answer_is_unknown_and_found_again(
        self, processor: Processor, kind: str, value: int
    ) -> None:
        # Whether or not the request took effect: unknown first, then the truth, and one charge.
        request = await self.a_charge(processor, method="pm_card_visa")
        request = replace(request, method_reference=None)
        processor.break_next(kind, value)
        assert isinstance(await processor.provider.charge(request), Unknown)
        found = await processor.provider.lookup(self.lookup(processor, request))
        assert isinstance(found, Succeeded)
        assert found.amount == AMOUNT
        assert processor.charges_of(PAYMENT) == 1

    @pytest.mark.parametrize(
        ("kind", "value", "found"),
        [
            ("drop_after", 0, Succeeded),
            ("error_after", 500, Succeeded),
            ("drop_before", 0, NotFound),
        ],
    )
    async def test_after_23_hours_the_books_answer_and_nothing_is_sent(
        self, processor: Processor, kind: str, value: int, found: type
    ) -> None:
        # The key may be forgotten by then: only reading is safe.
        request = await self.a_charge(processor)
        asked = self.lookup(processor, request)
        processor.break_next(kind, value)
        await processor.provider.charge(request)
        posts = processor.posts()
        processor.advance(LATE)
        outcome = await processor.provider.lookup(replace(asked, now=processor.now))
        assert isinstance(outcome, found)
        assert processor.posts() == posts

    async def test_another_payments_money_is_not_believed(self, processor: Processor) -> None:
        # A reference that belongs to another payment, organization or amount is held.
        request = await self.a_charge(processor)
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Succeeded)
        asked = self.lookup(processor, request, reference=outcome.reference)
        assert await processor.provider.lookup(asked) == outcome
        for changes in (
            {"amount": Money(1, AMOUNT.currency)},
            {"amount": Money(AMOUNT.minor, Currency("eur"))},
            {"org_id": OTHER_ORG},
            {"payment_id": PaymentId("pay_01900000-0000-7000-8000-0000000000ff")},
        ):
            assert isinstance(await processor.provider.lookup(replace(asked, **changes)), Unknown)

    async def test_a_charge_that_is_over_cannot_be_canceled(self, processor: Processor) -> None:
        # The answer is what happened to the money instead.
        outcome = await processor.provider.charge(await self.a_charge(processor))
        assert isinstance(outcome, Succeeded)
        assert await processor.provider.cancel_charge(outcome.reference) == outcome

    async def test_a_refused_charge_can_be_canceled(self, processor: Processor) -> None:
        # Afterwards it is closed for good, and canceling again says so again.
        request = await self.a_charge(processor, "pm_sandbox_later_generic_decline")
        outcome = await processor.provider.charge(request)
        assert isinstance(outcome, Declined)
        assert outcome.reference is not None
        for _ in range(2):
            closed = await processor.provider.cancel_charge(outcome.reference)
            assert closed == Closed(outcome.reference)

    async def test_a_customer_is_the_same_whoever_asks_again(self, processor: Processor) -> None:
        # A lost answer, a changed name: one customer at the processor.
        first = await processor.provider.ensure_customer(a_customer())
        renamed = CustomerRequest(ORG, a_customer().customer_id, "new@example.com", "New Name")
        assert await processor.provider.ensure_customer(renamed) == first
        assert isinstance(first, Linked)
        known = replace(renamed, reference=first.reference)
        assert await processor.provider.ensure_customer(known) == first

    async def test_a_page_takes_the_money(self, processor: Processor) -> None:
        # Opened, paid by card, and told alike by lookup, by event and by closing too late.
        request, opened = await self.a_checkout(processor)
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert await processor.provider.lookup(asked) == opened
        processor.type_card(opened.url, GOOD_CARD)
        paid = await processor.provider.lookup(asked)
        assert isinstance(paid, Succeeded)
        assert paid.amount == AMOUNT
        assert await processor.provider.close_checkout(opened.reference) == paid
        assert processor.charges_of(PAYMENT) == 1
        told = claims(read_all(processor))
        assert {(each.reference, each.amount) for each in told} == {(paid.reference, AMOUNT)}

    async def test_one_key_is_one_page(self, processor: Processor) -> None:
        # The same request again gives the same session.
        request, opened = await self.a_checkout(processor)
        assert await processor.provider.open_checkout(request) == opened

    async def test_a_closed_page_takes_no_money(self, processor: Processor) -> None:
        # Closed now, closed when asked again, and a card typed into it moves nothing.
        request, opened = await self.a_checkout(processor)
        assert isinstance(await processor.provider.close_checkout(opened.reference), Closed)
        assert isinstance(await processor.provider.close_checkout(opened.reference), Closed)
        processor.type_card(opened.url, GOOD_CARD)
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert isinstance(await processor.provider.lookup(asked), Closed)
        assert processor.charges_of(PAYMENT) == 0
        assert all(isinstance(each, Closed) for each in claims(read_all(processor)))

    async def test_a_page_left_alone_expires(self, processor: Processor) -> None:
        # By the processor's own clock, told by an event.
        request, opened = await self.a_checkout(processor)
        processor.advance(opened.expires_at - processor.now + timedelta(seconds=1))
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert isinstance(await processor.provider.lookup(asked), Closed)
        assert [type(each) for each in claims(read_all(processor))] == [Closed]

    async def test_a_refusal_on_an_open_page_is_not_the_end(self, processor: Processor) -> None:
        # The customer may try another card: no lookup ends the attempt, and events tell why.
        request, opened = await self.a_checkout(processor)
        processor.type_card(opened.url, SHORT_CARD)
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert isinstance(await processor.provider.lookup(asked), CheckoutOpened)
        for told in claims(read_all(processor)):
            assert isinstance(told, Declined)
            assert told.is_on_page
        processor.type_card(opened.url, GOOD_CARD)
        assert isinstance(await processor.provider.lookup(asked), Succeeded)
        assert processor.charges_of(PAYMENT) == 1

    async def test_a_challenge_on_the_page_is_part_of_paying(self, processor: Processor) -> None:
        # While the bank asks, the page is open; afterwards it is paid.
        request, opened = await self.a_checkout(processor)
        bank = processor.type_card(opened.url, ASKING_CARD)
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert isinstance(await processor.provider.lookup(asked), CheckoutOpened)
        assert claims(read_all(processor)) == []
        processor.pass_challenge(bank)
        assert isinstance(await processor.provider.lookup(asked), Succeeded)

    async def test_a_slow_payment_on_the_page_settles_later(self, processor: Processor) -> None:
        # Complete and unpaid is processing; the money comes with a later event.
        request, opened = await self.a_checkout(processor)
        processor.type_card(opened.url, SLOW_CARD)
        asked = self.lookup(processor, request, session_reference=opened.reference)
        assert isinstance(await processor.provider.lookup(asked), Processing)
        assert {type(each) for each in claims(read_all(processor))} == {Processing}
        processor.advance(timedelta(seconds=61))
        assert isinstance(await processor.provider.lookup(asked), Succeeded)
        assert {type(each) for each in claims(read_all(processor))} == {Succeeded}

    @pytest.mark.parametrize("kind", ["drop_after", "drop_before", "error_after"])
    async def test_a_page_whose_opening_was_lost_is_found(
        self, processor: Processor, kind: str
    ) -> None:
        # The same request again finds or opens the one page.
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        request = a_checkout(customer_reference=linked.reference)
        processor.break_next(kind)
        assert isinstance(await processor.provider.open_checkout(request), Unknown)
        found = await processor.provider.lookup(self.lookup(processor, request))
        assert isinstance(found, CheckoutOpened)
        processor.type_card(found.url, GOOD_CARD)
        paid = await processor.provider.lookup(self.lookup(processor, request))
        assert isinstance(paid, Succeeded)
        assert processor.charges_of(PAYMENT) == 1

    @pytest.mark.parametrize(
        ("kind", "found"), [("drop_after", Succeeded), ("drop_before", NotFound)]
    )
    async def test_a_lost_page_is_found_by_the_books_after_23_hours(
        self, processor: Processor, kind: str, found: type
    ) -> None:
        # Paid meanwhile or never made, and nothing is sent to learn it.
        linked = await processor.provider.ensure_customer(a_customer())
        assert isinstance(linked, Linked)
        request = a_checkout(customer_reference=linked.reference)
        processor.break_next(kind)
        await processor.provider.open_checkout(request)
        asked = self.lookup(processor, request)
        if found is Succeeded:
            opened = await processor.provider.lookup(asked)
            assert isinstance(opened, CheckoutOpened)
            processor.type_card(opened.url, GOOD_CARD)
        processor.advance(LATE)
        posts = processor.posts()
        assert isinstance(await processor.provider.lookup(replace(asked, now=processor.now)), found)
        assert processor.posts() == posts

    async def test_an_event_tells_what_was_paid(self, processor: Processor) -> None:
        # Signed, in our words, with our ids and the processor's own clock.
        request = await self.a_charge(processor)
        outcome = await processor.provider.charge(request)
        events = read_all(processor)
        (event,) = [each for each in events if each.kind is ProviderEventKind.PAYMENT]
        assert event.outcome == outcome
        assert (event.org_id, event.payment_id) == (ORG, PAYMENT)
        assert event.is_live is False
        assert abs(event.occurred_at - processor.now) < timedelta(seconds=5)
        assert len({each.event_id for each in events}) == len(events)

    async def test_a_declined_charge_is_told_by_event(self, processor: Processor) -> None:
        # The same code and kind as the answer had.
        request = await self.a_charge(processor, "pm_sandbox_later_insufficient_funds")
        outcome = await processor.provider.charge(request)
        assert claims(read_all(processor)) == [outcome]

    async def test_a_tampered_event_is_refused(self, processor: Processor) -> None:
        # Another byte, another signature, another time: not the processor.
        await processor.provider.charge(await self.a_charge(processor))
        body, header = processor.events()[0]
        provider, now = processor.provider, processor.now
        assert provider.read_event(body, header, now).event_id.startswith("evt_")
        for bad_body, bad_header, bad_now in (
            (body + b" ", header, now),
            (body.replace(b"evt_", b"evt-", 1), header, now),
            (body, header[:-1], now),
            (body, "", now),
            (body, header, now + timedelta(seconds=302)),
            (body, header, now - timedelta(seconds=302)),
        ):
            with pytest.raises(BadSignature):
                provider.read_event(bad_body, bad_header, bad_now)

    async def test_the_books_are_read_by_organization(self, processor: Processor) -> None:
        # Each sees its own succeeded charges and nothing else.
        request = await self.a_charge(processor)
        paid = await processor.provider.charge(request)
        assert isinstance(paid, Succeeded)
        other = PaymentId("pay_01900000-0000-7000-8000-0000000000ee")
        foreign = replace(request, org_id=OTHER_ORG, payment_id=other)
        await processor.provider.charge(foreign)
        booked = await processor.provider.booked_charges(ORG)
        assert isinstance(booked, tuple)
        (line,) = booked
        assert (line.reference, line.payment_id, line.org_id) == (paid.reference, PAYMENT, ORG)
        assert (line.amount, line.refunded) == (AMOUNT, Money(0, AMOUNT.currency))
        assert await processor.provider.booked_charges(OrgId("org_nobody")) == ()

    async def test_books_that_cannot_be_read_are_unknown(self, processor: Processor) -> None:
        # No half of a list.
        await processor.provider.charge(await self.a_charge(processor))
        processor.break_next("error_before", 500)
        assert isinstance(await processor.provider.booked_charges(ORG), Unknown)
