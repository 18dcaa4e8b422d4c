"""Tampering is named: what was edited, deleted, swapped or slipped in, and nobody innocent."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.currencies import currency
from bursar.domain.event_chain import SealedEvent, continued
from bursar.domain.frozen import replace
from bursar.domain.ids import PaymentId, print_id
from bursar.domain.money import Money
from bursar.domain.provider import BookedCharge
from bursar.domain.verification import ChainWalk, Check, Collected, KeptLink, compared

AT = datetime(2026, 3, 1, tzinfo=UTC)
ORG = UUID(int=7)
USD = currency("usd")


def an_event(number: int) -> SealedEvent:
    return SealedEvent(
        address=None,
        id=UUID(int=number),
        transaction_id=str(700 + number),
        type="invoice.paid",
        payload_version=1,
        is_public=True,
        resource_type="invoice",
        resource_id=UUID(int=99),
        sequence=number,
        actor="user:usr_1",
        reason=None,
        request_id="r",
        occurred_at=AT + timedelta(seconds=number),
        recorded_at=AT,
        snapshot='{"id": "inv_1"}',
        previous=None,
    )


def a_chain(length: int = 8) -> list[KeptLink]:
    events = [an_event(number) for number in range(1, length + 1)]
    links = continued(ORG, None, events)
    return [
        KeptLink(link.position, link.event_id, link.hash, event)
        for link, event in zip(links, events, strict=True)
    ]


def walked(links: list[KeptLink], org_id: UUID = ORG) -> Check:
    walk = ChainWalk(org_id)
    for link in links:
        walk.follow(link)
    return walk.check("chain", uncovered=())


def edited(link: KeptLink) -> KeptLink:
    assert link.event is not None
    return replace(link, event=replace(link.event, snapshot='{"id": "inv_2"}'))


def deleted(link: KeptLink) -> KeptLink:
    return replace(link, event=None)


def rehashed(link: KeptLink) -> KeptLink:
    return replace(link, hash=bytes(32))


def test_an_untouched_chain_is_good() -> None:
    # Every link is counted, none is accused; an empty chain has nothing to say.
    assert walked(a_chain()) == Check("chain", 8)
    assert walked([]) == Check("chain", 0)
    assert walked(a_chain()).is_good


@given(
    st.integers(0, 7),
    st.sampled_from([(edited, "edited"), (deleted, "deleted"), (rehashed, "edited")]),
)
def test_whatever_is_touched_is_named(
    at: int, tampering: tuple[Callable[[KeptLink], KeptLink], str]
) -> None:
    # The first name is that of the event itself, wherever it is.
    tamper, word = tampering
    links = a_chain()
    links[at] = tamper(links[at])
    found = walked(links)
    assert found.offenders[0] == f"{word} {print_id('evt', links[at].event_id)}"
    assert len(found.offenders) <= 2


@given(st.integers(0, 6))
def test_two_swapped_events_are_found(at: int) -> None:
    # Both say what the other's hash does not.
    links = a_chain()
    first, second = links[at], links[at + 1]
    links[at] = replace(first, event=second.event)
    links[at + 1] = replace(second, event=first.event)
    assert len(walked(links).offenders) == 2


@given(st.integers(0, 6))
def test_a_link_taken_out_leaves_a_gap(at: int) -> None:
    # The one after it is named, since the one before it is not there any more.
    links = a_chain()
    del links[at]
    assert walked(links).offenders[0].startswith("gap before")


def test_an_event_slipped_in_is_named() -> None:
    # The chain passed over it.
    walk = ChainWalk(ORG)
    for link in a_chain():
        walk.follow(link)
    assert walk.check("chain", uncovered=["evt_x"]).offenders == ("inserted evt_x",)


def test_a_chain_belongs_to_its_organization() -> None:
    # Another one's cannot be shown for it.
    assert not walked(a_chain(), UUID(int=8)).is_good


def ours(number: int, minor: int = 1000) -> Collected:
    amount, nothing = Money(minor, USD), Money.zero(USD)
    return Collected(PaymentId(f"pay_{number}"), "sandbox", f"pi_{number}", amount, nothing)


def theirs(number: int | None, minor: int = 1000, reference: str = "pi") -> BookedCharge:
    payment_id = None if number is None else PaymentId(f"pay_{number}")
    return BookedCharge(reference, payment_id, None, Money(minor, USD), Money.zero(USD))


def test_the_same_payments_agree() -> None:
    # In any order.
    check = compared([ours(1), ours(2, 5)], [theirs(2, 5), theirs(1)], "books")
    assert (check.is_good, check.counted) == (True, 2)


@pytest.mark.parametrize(
    ("charges", "offender"),
    [
        ([], "pay_1"),
        ([theirs(1, 999)], "pay_1"),
        ([theirs(1), theirs(2)], "pay_2"),
        ([theirs(1), theirs(1, reference="pi_again")], "pi_again"),
        ([theirs(1), theirs(None, reference="pi_alone")], "pi_alone"),
    ],
)
def test_every_difference_is_named(charges: list[BookedCharge], offender: str) -> None:
    # Missing there, another amount, unknown here, charged twice, charged for nobody.
    check = compared([ours(1)], charges, "books")
    assert not check.is_good
    assert offender in check.offenders[0]
