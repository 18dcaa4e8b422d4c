"""Two lanes, one law: drafts finalized together leave the same rows as one after the other."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from tests.equivalence.dumps import dump
from tests.support.billing import Shop, a_shop, at
from tests.support.world import World

from bursar.domain.drafting import NewDiscount, NewLine
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.invoices import Invoice
from bursar.domain.refusals import Refusal
from bursar.flows.open_invoice import open_invoice
from bursar.operations.finalizing import LINES_TOGETHER_MAX, FinalizeInvoice, finalize_invoice
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate
from bursar.runtime.idempotency import Answer

START: Final = "2026-01-10"
MANY: Final = LINES_TOGETHER_MAX + 1


@dataclass(frozen=True)
class Paper:
    """One draft: to whom, over what, and when it is due; how many days after its lines."""

    buyer: int
    cents: tuple[int, ...]
    percent_off: int
    is_taxed: bool
    due_days: int | None


PAPERS: Final = st.lists(
    st.builds(
        Paper,
        buyer=st.integers(0, 2),
        cents=st.lists(st.integers(-5_000, 20_000), max_size=3).map(tuple),
        percent_off=st.sampled_from([0, 0, 15, 100]),
        is_taxed=st.booleans(),
        due_days=st.none() | st.integers(0, 40),
    ),
    min_size=1,
    max_size=8,
)
# Between two that ride: over nothing, long, paid with credit, empty, and in excess.
EVERYTHING: Final = [
    Paper(0, (4_900,), 0, True, None),
    Paper(1, (4_900,), 100, True, None),
    Paper(1, (100,) * MANY, 15, True, 14),
    Paper(2, (2_500,), 0, False, None),
    Paper(2, (), 0, False, 0),
    Paper(2, (-700,), 0, False, None),
    Paper(0, (1_999, 5_000), 15, True, 30),
]


async def drafted(shop: Shop, papers: Sequence[Paper]) -> list[Invoice]:
    """The drafts, in an organization whose clock stands still; the last buyer has credit."""
    caller = shop.org.caller
    rate = await caller.run(
        create_tax_rate, CreateTaxRate(name="VAT", percent=Decimal("7.7"), metadata={})
    )
    buyers = [await shop.org.customer(token=None) for _ in range(3)]
    await shop.org.invoice(buyers[2], cents=-3_000)
    return [
        await caller.run(
            create_invoice,
            CreateInvoice(
                customer_id=buyers[each.buyer].id,
                lines=tuple(
                    NewLine("Work", 1, Decimal(cents), (rate.id,) if each.is_taxed else ())
                    for cents in each.cents
                ),
                discounts=(NewDiscount(percent_off=Decimal(each.percent_off)),)
                if each.percent_off
                else (),
                due_at=None if each.due_days is None else at(START) + timedelta(days=each.due_days),
                metadata={},
            ),
        )
        for each in papers
    ]


def answered(invoice: Invoice) -> Answer:
    return Answer(200, invoice.id.encode())


async def together(shop: Shop, drafts: Sequence[Invoice]) -> list[Invoice | BaseException]:
    """All of them asked for at once, each by its own request."""
    callers = [replace(shop.org.with_key(), request_id=str(uuid4())) for _ in drafts]
    return await asyncio.gather(
        *(
            open_invoice(caller, FinalizeInvoice(each.id), answered)
            for caller, each in zip(callers, drafts, strict=True)
        ),
        return_exceptions=True,
    )


async def one_by_one(shop: Shop, ids: Sequence[InvoiceId]) -> list[Invoice | Refusal]:
    """The verb that takes one, in this order."""
    came: list[Invoice | Refusal] = []
    for each in ids:
        try:
            final = await shop.org.caller.run(finalize_invoice, FinalizeInvoice(each))
            came.append(final)
        except Refusal as refusal:
            came.append(refusal)
    return came


async def the_rows(world: World, shop: Shop) -> list[str]:
    connection = await world.house.as_owner()
    try:
        return await dump(connection, uuid_of(shop.org.id))
    finally:
        await connection.close()


def number_of(came: Invoice | BaseException) -> int | None:
    """The number that was given, if any."""
    if isinstance(came, Invoice):
        assert came.number is not None
        return came.number.number
    return None


async def require_same(world: World, papers: list[Paper], *, is_credit_applied: bool) -> None:
    shops = [await a_shop(world, START) for _ in range(2)]
    for shop in shops:
        await shop.configure(is_credit_applied=is_credit_applied)
    crowd, row = [await drafted(shop, papers) for shop in shops]
    came = await together(shops[0], crowd)
    # Whoever went alone was numbered after those who rode: the row is in the order of the numbers.
    final = {number: place for place, each in enumerate(came) if (number := number_of(each))}
    assert sorted(final) == list(range(2, len(final) + 2))
    refused = [place for place, each in enumerate(came) if not isinstance(each, Invoice)]
    order = [*(final[number] for number in sorted(final)), *refused]
    done = await one_by_one(shops[1], [row[place].id for place in order])
    assert [type(each) for each in done] == [type(came[place]) for place in order]
    found = [await the_rows(world, shop) for shop in shops]
    only_crowd = [each for each in found[0] if each not in found[1]]
    only_row = [each for each in found[1] if each not in found[0]]
    assert (only_crowd, only_row) == ([], [])
    assert [await shop.wrong() for shop in shops] == [[], []]


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(papers=EVERYTHING, is_credit_applied=True)
@given(papers=PAPERS, is_credit_applied=st.booleans())
async def test_both_lanes_leave_the_same_rows(
    world: World, papers: list[Paper], is_credit_applied: bool
) -> None:
    # Documents, numbers, books, events, figures and agenda: row by row the same, and all adds up.
    await require_same(world, papers, is_credit_applied=is_credit_applied)


@pytest.mark.proof
@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(papers=PAPERS, is_credit_applied=st.booleans())
async def test_both_lanes_leave_the_same_rows_at_length(
    world: World, papers: list[Paper], is_credit_applied: bool
) -> None:
    # The same, as often as a minute has room for.
    await require_same(world, papers, is_credit_applied=is_credit_applied)
