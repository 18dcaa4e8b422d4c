"""The billing run dies at each of its points, and bills each period once."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from tests.flows.crash_stage import Stage
from tests.support.billing import Shop
from tests.support.crash import COMMIT_MOMENTS, Fault, known_places

from bursar.jobs.dispatch import drain_agenda
from bursar.reads.verify import checks

VERBS: Final = ("bill_subscription", "bill_chunk", "issue_invoice")
POINTS: Final = tuple(f"handlers.{verb}.{moment}" for verb in VERBS for moment in COMMIT_MOMENTS)
ROUNDS_MAX: Final = 40
SPAN: Final = timedelta(days=40)
# Time passes until drafts are final, and the leases of the dead run out.
LATER: Final = """
    UPDATE agenda SET leased_until = NULL, due_at = CASE
        WHEN kind = 'issue_invoice' THEN now() - interval '1 second' ELSE due_at
    END
"""


def test_the_points_are_those_of_the_source() -> None:
    # A verb of the run that nobody kills here would be a hole.
    assert set(POINTS) <= known_places().points


@pytest.mark.parametrize("point", POINTS)
async def test_a_dead_run_bills_once(point: str, stage: Stage) -> None:
    # Two periods each: killed there, every task run twice, and nothing is missing or there twice.
    await stage.renew()
    shop = Shop(stage.org)
    await shop.configure(invoice_grace_hours=1 if "issue" in point else 0)
    plan = await shop.plan(4_900)
    began = datetime.now(UTC) - SPAN
    subscribers = 1 if "subscription" in point else 3
    made = [await shop.subscribe(plan, start_at=began) for _ in range(subscribers)]

    async def once() -> bool:
        await stage.owner.execute(LATER)
        await drain_agenda(stage.world.app)
        jobs = await stage.claim(is_anyones=True)
        for job in jobs:
            await stage.run(job)
            await stage.run_unfenced(job)
        return bool(jobs)

    stage.fuse.arm(Fault(point, 1))
    for _ in range(ROUNDS_MAX):
        died = stage.fuse.blown
        if not await stage.alive(once) and died == stage.fuse.blown:
            break
    assert stage.fuse.blown == 1
    stage.fuse.disarm()
    billed = [each.subscription_id for each in await shop.invoices()]
    assert sorted(map(str, billed)) == sorted(str(each.id) for each in made for _ in range(2))
    found = await stage.world.operator(stage.org.id).look(checks)
    assert [(each.name, each.offenders) for each in found if not each.is_good] == []
