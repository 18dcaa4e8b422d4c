"""One year of many subscriptions under a test clock: `make year [ARGS="--count 1000"]`.

Every month's end the books are verified, the trial balance among them; at the end every month of
every subscription was billed once, and the recurring revenue is what all of them are worth. It says
how long each month took, and exits with 1 where anything is wrong.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Final

from tests.support.database import installation
from tests.support.world import Org, World, open_world

from bursar.domain.customers import Customer
from bursar.domain.ids import uuid_of
from bursar.domain.pricing import BillingInterval, PriceTerms, PricingModel
from bursar.operations.plans import CreatePlan, create_plan
from bursar.operations.subscriptions import CreateSubscription, create_subscription
from bursar.reads.ledger import trial_balance
from bursar.reads.verify import checks
from bursar.runtime import logging

START: Final = datetime(2025, 1, 1, tzinfo=UTC)
MONTHS: Final = 12
CENTS: Final = (1_000, 2_500, 4_999)
WITH_CARD: Final = 20  # one in so many pays by card

_COUNTED: Final = """
    SELECT
        (SELECT count(*) FROM invoices WHERE org_id = $1) AS invoices,
        (SELECT count(*) FROM billed_periods WHERE org_id = $1 AND kind = 'fee') AS periods,
        (SELECT sum(mrr_minor) FROM subscribers WHERE org_id = $1) AS mrr,
        (SELECT last_number FROM invoice_series WHERE org_id = $1 AND series = 'INV-2025') AS number
"""


@dataclass
class Year:
    """What a year came to."""

    count: int
    tell: Callable[[str], None] = lambda _: None
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


async def live(world: World, year: Year) -> None:
    """Months go by; each subscription begins on one of the first 28 days of January."""
    org, count = await world.org(), year.count
    await org.freeze(START)
    begun = time.perf_counter()
    made = await _begun(org, count)
    year.tell(f"{count} subscriptions made in {time.perf_counter() - begun:.0f} s")
    for month in range(MONTHS):
        begun = time.perf_counter()
        await org.advance(_month(month + 1) - timedelta(seconds=1))
        year.seconds.append(time.perf_counter() - begun)
        await _look_at_the_books(org, year, f"{_month(month):%Y-%m}")
    connection = await world.house.as_owner()
    try:
        row = await connection.fetchrow(_COUNTED, uuid_of(org.id))
    finally:
        await connection.close()
    assert row is not None
    told = dict(row)
    wanted = {"invoices": count * MONTHS, "periods": count * MONTHS, "mrr": made}
    wanted["number"] = count * MONTHS
    if told != wanted:
        year.wrong.append(f"told {told}, wanted {wanted}")


async def _look_at_the_books(org: Org, year: Year, month: str) -> None:
    """At a month's end: what both sides of the books come to, and every check of `verify`."""
    balances = [each.entry_sum.minor for each in await org.caller.look(trial_balance)]
    debit, credit = (sum(each for each in balances if (each > 0) is side) for side in (True, False))
    found = await org.world.operator(org.id).look(checks)
    wrong = [f"{month}: {each.name}: {each.offenders[:2]}" for each in found if not each.is_good]
    wrong += [f"{month}: debit {debit}, credit {credit}"] if debit + credit else []
    year.wrong += wrong
    green = "green" if not wrong else "WRONG"
    year.tell(
        f"{month}  {year.seconds[-1]:6.1f} s  debit {debit:>14,}  credit {credit:>15,}"
        f"  {len(found)} checks {green}"
    )


async def _begun(org: Org, count: int) -> int:
    """Subscriptions of three plans; what they are worth a month."""
    plans = []
    for cents in CENTS:
        terms = PriceTerms(PricingModel.FLAT_RATE, Decimal(cents))
        month = BillingInterval.MONTH
        command = CreatePlan(name=f"P{cents}", interval=month, terms=(terms,), metadata={})
        plans.append(await org.caller.run(create_plan, command))
    worth = 0
    for number in range(count):
        customer: Customer = await org.customer(None if number % WITH_CARD else "pm_card_visa")
        wish = CreateSubscription(
            customer_id=customer.id,
            plan_id=plans[number % len(plans)].id,
            start_at=START + timedelta(days=number % 28),
        )
        await org.caller.run(create_subscription, wish)
        worth += CENTS[number % len(plans)]
    return worth


def _month(number: int) -> datetime:
    return datetime(START.year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


async def main() -> int:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=1_000)
    year = Year(options.parse_args().count, tell=partial(print, flush=True))
    logging.configure(level="error", is_development=True)
    async with installation() as house, open_world(house) as world:
        await live(world, year)
    told = f"{sum(year.seconds):.0f} s, {max(year.seconds):.1f} s at most"
    print(f"{year.count} subscriptions, {MONTHS} months: {told} a month")
    print(*year.wrong or ["the books were green at every month's end"], sep="\n")
    return 1 if year.wrong else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
