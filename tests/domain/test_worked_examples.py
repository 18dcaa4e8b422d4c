"""The worked examples of the documentation, computed: what a reader checks by hand is true."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from tests.domain.lives import Life, a_plan, a_wish, some
from tests.domain.nouns import USD

from bursar.domain.agreements import Proration
from bursar.domain.calendars import cycle_from
from bursar.domain.discounts import Coupon, discounts
from bursar.domain.frozen import replace
from bursar.domain.ids import PriceId
from bursar.domain.meters import Aggregation
from bursar.domain.money import Money, Rate, priced
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel, Tier, price
from bursar.domain.proration import prorated
from bursar.domain.shapes.samples import COUPON
from bursar.domain.subscriptions import MONTHS
from bursar.domain.times import Period
from bursar.domain.usage import Tally

DOCS = Path(__file__).parents[2] / "docs" / "domain"


def table(page: str, *header: str) -> Iterator[tuple[str, ...]]:
    """The rows of the one table of a page that has this header."""
    lines = (DOCS / page).read_text("utf-8").splitlines()
    at = lines.index("| " + " | ".join(header) + " |")
    for line in lines[at + 2 :]:
        if not line.startswith("|"):
            return
        yield tuple(cell.strip() for cell in line.strip("|").split("|"))


def terms(model: str, text: str) -> PriceTerms:
    if model in {"graduated", "volume"}:
        return PriceTerms(PricingModel(model), tiers=tuple(map(tier, text.split(", "))))
    amount, _, size = text.partition(" per ")
    return PriceTerms(
        PricingModel(model), Decimal(amount), package_size=int(size) if size else None
    )


def tier(text: str) -> Tier:
    up_to, _, price_text = text.partition(": ")
    unit, _, flat = price_text.partition(" + ")
    top = None if up_to == "∞" else int(up_to)
    return Tier(top, Decimal(unit), Decimal(flat or 0))


@pytest.mark.parametrize(
    "row", [*table("money.md", "quantity", "unit amount", "exact", "line")], ids=" ".join
)
def test_lines(row: tuple[str, ...]) -> None:
    # The exact product, and half of a unit to the even one.
    quantity, unit, exact, line = (Decimal(cell.replace(",", "")) for cell in row)
    assert quantity * unit == exact
    assert priced(quantity, unit, USD).minor == line


@pytest.mark.parametrize("row", [*table("money.md", "share", "by weights", "gives")], ids=" ".join)
def test_shares(row: tuple[str, ...]) -> None:
    # The largest remainders first, ties to the first part.
    amount, weights, gives = ([*map(signed, cell.split(", "))] for cell in row)
    found = Money(amount[0], USD).allocate(weights)
    assert [each.minor for each in found] == gives


@pytest.mark.parametrize("row", [*table("plans.md", "model", "price", "quantity", "amount")])
def test_prices_of_plans(row: tuple[str, ...]) -> None:
    # Each line of the page is what the engine computes.
    model, text, quantity, amount = row
    found = price(PriceId("price_1"), terms(model, text)).amount(int(quantity), USD)
    assert found.minor == int(amount)


@pytest.mark.parametrize(
    "row", [*table("proration.md", "amount", "from", "until", "part")], ids=" ".join
)
def test_parts_of_a_period(row: tuple[str, ...]) -> None:
    # To the cent, forwards and as a credit.
    amount, start, end, part = row
    whole = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
    found = prorated(Money(signed(amount), USD), whole, part=Period(midnight(start), midnight(end)))
    assert found.minor == signed(part)


def signed(text: str) -> int:
    return int(text.replace("−", "-"))


def midnight(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "row",
    [*table("proration.md", "price", "becomes", "on", "proration", "lines")],
    ids=" ".join,
)
def test_changes_in_the_middle(row: tuple[str, ...]) -> None:
    # As a preview would show them.
    before, after = a_plan(signed(row[0])), a_plan(signed(row[1]), number=2)
    march = midnight("2026-03-01")
    life = Life.begin(a_wish(before, march), march, [before, after])
    life.reach(midnight(row[2]))
    lines = [] if row[4] == "none" else [*map(signed, row[4].split())]
    assert life.change(some(after), Proration(row[3])) == lines


@pytest.mark.parametrize(
    "row",
    [*table("time.md", "noon of", "anchor", "interval", "zone", "from", "until")],
    ids=" ".join,
)
def test_periods(row: tuple[str, ...]) -> None:
    # As the calendar on the wall says.
    day, anchor, interval, zone, start, end = row
    noon = midnight(day) + timedelta(hours=12)
    months = MONTHS[BillingInterval(interval)]
    cycle = cycle_from(noon, zone, anchor_day=int(anchor), months=months)
    instants = (datetime.fromisoformat(each.replace("Z", ":00+00:00")) for each in (start, end))
    assert cycle.period_at(noon) == Period(*instants)


@pytest.mark.parametrize(
    "row",
    [*table("usage.md", "events", "sum", "count", "max", "unique", "latest")],
    ids=" ".join,
)
def test_aggregations(row: tuple[str, ...]) -> None:
    # From the set of events, as the tally of a period sees them.
    events = [tuple(map(int, each.split("="))) for each in row[0].split()]
    values = [value for _, value in events]
    tally = Tally(
        event_count=len(events),
        total=sum(values),
        greatest=max(values),
        latest=max(enumerate(events), key=lambda each: (each[1][0], each[0]))[1][1],
        distinct=len(set(values)),
    )
    found = [
        tally.quantity(Aggregation(name)) for name in ("sum", "count", "max", "unique", "latest")
    ]
    assert found == [int(cell) for cell in row[1:]]


@pytest.mark.parametrize("row", [*table("coupons.md", "coupons", "lines", "off")], ids=" ".join)
def test_what_coupons_take_off(row: tuple[str, ...]) -> None:
    # One after another, shared to the cent.
    coupons = [coupon(each) for each in row[0].split()]
    lines, off = ([Money(signed(each), USD) for each in cell.split()] for cell in row[1:])
    assert list(discounts(coupons, lines)) == off


def coupon(text: str) -> Coupon:
    if text.endswith("%"):
        return replace(COUPON, percent_off=Rate(Decimal(text[:-1])))
    return replace(COUPON, percent_off=None, amount_off=Money(int(text), USD))
