"""`bursar invoice run`: everything due is billed, and whoever watches sees how far it is."""

from tests.cli.conftest import Terminal
from tests.support.billing import Shop
from tests.support.world import World

from bursar.cli.failing import Exit


async def test_everything_due_is_billed_at_the_terminal(terminal: Terminal, world: World) -> None:
    # A dry run counts and changes nothing; the run bills; the next finds nothing.
    shop = Shop(await world.org())
    plan = await shop.plan(1_500)
    for _ in range(3):
        await shop.subscribe(plan)
    run = ("invoice", "run", "--org", shop.org.id)
    tried = await terminal.run(*run, "--dry-run")
    assert tried.value == [
        {"orgId": shop.org.id, "due": 3, "subscriptions": 3, "invoices": 3, "putOff": 0}
    ]
    assert await shop.numbers() == []
    done = await terminal.watch(*run)
    assert done.code == Exit.DONE
    assert done.value == tried.value
    assert await shop.numbers() == [1, 2, 3]
    shown = done.err.splitlines()[-2]
    assert "3/3" in shown
    assert "/s" in shown
    assert "0:00:00" in shown
    assert "3 invoices were made in 1 organizations" in done.err
    again = await terminal.run(*run, "--quiet")
    assert (again.value, again.err) == ([], "")
