"""Payouts: the processor's days pass, and what it sent to the bank is in our books to the cent.

With an installation of its own: the processor's clock runs days ahead of everybody else's.
"""

from collections.abc import AsyncIterator

import pytest
from tests.support.database import Installation, beside
from tests.support.sandbox import control
from tests.support.world import Org, World, open_world

from bursar.domain.paging import Page
from bursar.domain.payout_reports import PayoutStatus
from bursar.domain.payouts import Payout
from bursar.domain.reconciliation import DifferenceKind
from bursar.flows.reconcile_books import reconcile_books
from bursar.flows.refund_payment import refund_payment
from bursar.operations.refunds import BeginRefund
from bursar.reads.ledger import trial_balance
from bursar.reads.payouts import PayoutFilters, payouts
from bursar.reads.reconciliation import differences
from bursar.reads.verify import checks

DAY_S = 86_400


@pytest.fixture(scope="module")
async def apart(house: Installation) -> AsyncIterator[World]:
    async with beside(house) as database, open_world(database) as world:
        yield world


async def listed(org: Org) -> tuple[Payout, ...]:
    return (await org.caller.look(payouts, Page(size=100), PayoutFilters())).items


async def held(org: Org) -> dict[str, int]:
    accounts = await org.caller.look(trial_balance)
    return {
        each.account.code: each.balance.minor
        for each in accounts
        if each.account.code in {"bank", "fees", "processor:sandbox"}
    }


async def unproven(org: Org) -> list[tuple[str, tuple[str, ...]]]:
    found = await org.caller.look(checks)
    return [(each.name, each.offenders) for each in found if not each.is_good]


async def test_a_payout_is_shared_and_booked_once(apart: World) -> None:
    # Two organizations, one account: each has its own charges, refunds and fees of the payout, read
    # twice and booked once; the processor holds nothing for them any more, and nothing differs.
    one, other = await apart.org(), await apart.org()
    customer = await one.customer()
    paid = await one.pay((await one.invoice(customer, 10_000)).id)
    await one.pay((await one.invoice(customer, 5_000)).id)
    await other.pay((await other.invoice(await other.customer(), 2_000)).id)
    await refund_payment(
        one.caller, BeginRefund(payment_id=paid.id, attempt_key="k", amount_minor=3_000)
    )
    control(apart.sandbox, "POST", "clock", advance=4 * DAY_S)
    for _ in range(2):
        await reconcile_books(apart.system(None), apart.provider)
    (mine,), (theirs,) = await listed(one), await listed(other)
    # 2.9 % and 30 of each charge: 320 and 175 of one, 88 of the other.
    assert (mine.amount.minor, mine.fee.minor, mine.move_count) == (11_505, 495, 3)
    assert (theirs.amount.minor, theirs.fee.minor, theirs.move_count) == (1_912, 88, 1)
    assert mine.status is PayoutStatus.PAID
    assert await held(one) == {"bank": 11_505, "fees": 495, "processor:sandbox": 0}
    for org in (one, other):
        assert await org.caller.look(differences) == ()
        assert await unproven(org) == []


async def test_a_payout_of_another_amount_is_named(apart: World) -> None:
    # Our row says a cent more than the processor's list makes; one it does not list is named too.
    org = await apart.org()
    await org.pay((await org.invoice(await org.customer(), 4_000)).id)
    control(apart.sandbox, "POST", "clock", advance=4 * DAY_S)
    await reconcile_books(apart.system(None), apart.provider)
    (payout,) = await listed(org)
    owner = await apart.house.as_owner()
    try:
        where = "WHERE provider_reference = $1"
        changed = f"UPDATE payouts SET amount_minor = amount_minor + 1 {where}"
        await owner.execute(changed, payout.provider_reference)
        (found,) = await org.caller.look(differences)
        assert (found.kind, found.resource_id) == (DifferenceKind.PAYOUT_DIFFERS, payout.id)
        assert (found.ours_minor, found.theirs_minor) == (3_855, 3_854)
        await owner.execute(
            f"UPDATE payouts SET provider_reference = 'po_x' {where}", payout.provider_reference
        )
        kinds = {each.kind for each in await org.caller.look(differences)}
        assert kinds == {DifferenceKind.PAYOUT_UNKNOWN_HERE, DifferenceKind.PAYOUT_UNKNOWN_THERE}
    finally:
        await owner.close()
