"""What was billed explains itself; whatever is changed behind its back is named where it stands."""

from decimal import Decimal

import pytest
from tests.stories.acting import Stage
from tests.stories.script import FOLDER, read
from tests.support.agreements import a_meter, per_unit
from tests.support.billing import a_shop, at
from tests.support.world import Org, World

from bursar.domain.drafting import NewDiscount, NewLine
from bursar.domain.explanations import Explanation, explain
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.invoice_rows import row_to_invoice
from bursar.domain.invoices import Invoice
from bursar.domain.shapes.explanations import ExplanationOut, LineUsageOut
from bursar.operations.invoices import CreateInvoice, create_invoice
from bursar.operations.tax_rates import CreateTaxRate, create_tax_rate
from bursar.reads.explanations import SAMPLED_MAX, usage_behind

LINE = "UPDATE invoice_lines SET {} WHERE org_id = $1 AND invoice_id = $2 AND position = {}"
DOCUMENT = "UPDATE invoices SET {} WHERE org_id = $1 AND id = $2"
ROW = "SELECT * FROM invoices WHERE org_id = $1 AND id = $2"
LINES = "SELECT * FROM invoice_lines WHERE org_id = $1 AND invoice_id = $2 ORDER BY position"
HALF = "jsonb_set({0}, '{{{1}}}', '\"7.5\"')"


async def changed(org: Org, invoice_id: InvoiceId, statement: str) -> list[str]:
    """The fields that differ once a superuser has run this; afterwards nothing has happened."""
    key = uuid_of(org.id), uuid_of(invoice_id)
    owner = await org.world.house.as_owner()
    undone = owner.transaction()
    await undone.start()
    try:
        assert await owner.execute(statement, *key) == "UPDATE 1"
        row = await owner.fetchrow(ROW, *key)
        assert row is not None
        found = explain(row_to_invoice(row, await owner.fetch(LINES, *key))).differences
        return [each.field for each in found]
    finally:
        await undone.rollback()
        await owner.close()


async def by_hand(org: Org) -> InvoiceId:
    """Two lines at two rates, one of them in the price, a discount each and one over all."""
    rates = []
    for percent, inside in (("19", False), ("7", True)):
        introduce = CreateTaxRate(
            name="VAT", percent=Decimal(percent), is_inclusive=inside, metadata={}
        )
        rates.append((await org.caller.run(create_tax_rate, introduce)).id)
    off = (NewDiscount(name="Friend", percent_off=Decimal(10)),)
    lines = (
        NewLine("Work", 3, Decimal("333.5"), (rates[0],), off),
        NewLine("Books", 1, Decimal(2000), (rates[1],), off),
    )
    customer = await org.customer(token=None)
    command = CreateInvoice(
        customer_id=customer.id,
        lines=lines,
        discounts=(NewDiscount(name="More", amount_off_minor=300),),
        metadata={},
    )
    return (await org.caller.run(create_invoice, command)).id


@pytest.mark.parametrize(
    ("statement", "field"),
    [
        (LINE.format("quantity = 4", 1), "lines[0].amountCents"),
        (LINE.format("unit_amount = 334.5", 1), "lines[0].amountCents"),
        (LINE.format("amount_minor = amount_minor + 1", 2), "lines[1].amountCents"),
        (LINE.format("discount_minor = discount_minor + 1", 2), "lines[1].discountCents"),
        (
            LINE.format(f"discounts = {HALF.format('discounts', '0,percent_off')}", 1),
            "lines[0].discountCents",
        ),
        (
            DOCUMENT.format("discounts = jsonb_set(discounts, '{0,taken}', '301')"),
            "discounts[0].discountCents",
        ),
        (
            DOCUMENT.format(f"taxes = {HALF.format('taxes', '0,percent')}"),
            "taxes[0].taxAmountCents",
        ),
        (
            DOCUMENT.format("taxes = jsonb_set(taxes, '{1,is_inclusive}', 'false')"),
            "taxes[1].taxAmountCents",
        ),
        (DOCUMENT.format("taxes = jsonb_set(taxes, '{0,taxable}', '1')"), "taxes[0].taxableCents"),
        (DOCUMENT.format("taxes = taxes - 0"), "lines[0].taxes[0].taxAmountCents"),
        (LINE.format("taxes = '[]'", 1), "taxes[0].taxAmountCents"),
    ],
)
async def test_an_input_changed_by_hand_is_named(world: World, statement: str, field: str) -> None:
    # Prices, quantities, discounts, rates: whatever the document was made from.
    org = await world.org()
    assert field in await changed(org, await by_hand(org), statement)


@pytest.mark.parametrize(
    ("story", "member", "change"),
    [
        ("upgrade_mid_month", "netCents", "'{netCents}', '2000'"),
        ("upgrade_mid_month", "period", "'{period,end}', '\"2026-02-03T00:00:00.000Z\"'"),
        ("tiers_graduated", "parts", "'{parts,0,unitAmount}', '\"0.5\"'"),
        ("tiers_graduated", "parts", "'{parts,0,quantity}', '7'"),
    ],
)
async def test_a_derivation_changed_by_hand_is_named(
    world: World, story: str, member: str, change: str
) -> None:
    # A part of a period, and a price tier by tier.
    stage = Stage(await world.org(), read(FOLDER / f"{story}.txt"))
    await stage.play()
    invoice_id, place = next(
        (each.id, place)
        for each in await stage.invoices()
        for place, line in enumerate(each.lines)
        if line.derivation and member in line.derivation
    )
    statement = LINE.format(f"derivation = jsonb_set(derivation, {change})", place + 1)
    assert f"lines[{place}].amountCents" in await changed(stage.org, invoice_id, statement)


async def usage_of(org: Org, invoice: Invoice) -> list[LineUsageOut]:
    """What the explanation of an invoice says of the usage behind its lines."""
    sampled = await org.caller.look(usage_behind, invoice.id)
    shown = ExplanationOut.of(Explanation(invoice, invoice, ()), sampled)
    return [line.usage for line in shown.lines if line.usage is not None]


async def test_a_line_for_usage_names_its_events(world: World) -> None:
    # Up to when they were known, and the first of them; one that came later is on a later line.
    shop = await a_shop(world)
    meter = await a_meter(shop.org)
    subscription = await shop.subscribe(await shop.plan(0, per_unit(meter, "25")))
    await shop.bill(subscription.id)
    await shop.set_clock(at("2026-02-01"))
    many = [(f"k{place}", at(f"2026-01-{place:02}"), 1) for place in range(2, SAMPLED_MAX + 4)]
    await shop.use(subscription.id, meter, *many)
    first = await shop.bill(subscription.id)
    await shop.use(subscription.id, meter, ("late", at("2026-01-01T12:00"), 4))
    await shop.set_clock(at("2026-03-01"))
    second = await shop.bill(subscription.id)
    assert first is not None
    assert second is not None
    (then,), (nothing, late) = [await usage_of(shop.org, each) for each in (first, second)]
    assert len(then.sample_event_ids) == SAMPLED_MAX
    assert (nothing.sample_event_ids, len(late.sample_event_ids)) == ((), 1)
    assert not {*late.sample_event_ids} & {*then.sample_event_ids}
    assert str(then.known_at) < str(nothing.known_at) == str(late.known_at)
