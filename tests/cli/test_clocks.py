"""`bursar clock` and `bursar report`: months pass at the terminal, and what they came to."""

import asyncio

from tests.cli.conftest import Terminal
from tests.support.world import World

from bursar.cli.failing import Exit


async def test_a_month_passes_at_the_terminal(terminal: Terminal, world: World) -> None:
    # Stopped in the past, sent ahead while a worker moves it, reported, and let go.
    org = await world.org()
    at = ("--org", org.id)
    stopped = await terminal.run("clock", "freeze", *at, "--at", "2026-01-05T10:00:00+00:00")
    assert stopped.value["now"] == "2026-01-05T10:00:00.000Z"
    await org.invoice(await org.customer(None), 1_250)

    async def worker() -> None:
        for _ in range(200):
            await world.pass_time()
            await asyncio.sleep(0.05)

    working = asyncio.create_task(worker())
    advanced = await terminal.run("clock", "advance", *at, "--by", "1 month", "--quiet")
    working.cancel()
    assert (advanced.value["status"], advanced.value["now"]) == (
        "ready",
        "2026-02-05T10:00:00.000Z",
    )
    back = await terminal.run("clock", "advance", *at, "--to", "2026-01-01T00:00:00Z")
    assert back.code == Exit.CONFLICT
    assert (await terminal.run("clock", "advance", *at)).code == Exit.USAGE
    span = ("--from", "2026-01-01", "--to", "2026-03-01", "--interval", "month")
    report = await terminal.run("report", "revenue", *at, *span)
    assert [each["revenueCents"] for each in report.value["series"]] == [1_250, 0]
    table = await terminal.run("report", "invoices", *at, *span, "--format", "table")
    assert "total" in table.text
    assert "12.50" in table.text
    wrong = await terminal.run("report", "mrr", *at, "--from", "January")
    assert wrong.code == Exit.INVALID
    released = await terminal.run("clock", "release", *at)
    assert released.value["frozen"] is False
    assert (await terminal.run("clock", "show", *at)).value["status"] == "ready"
