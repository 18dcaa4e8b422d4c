"""`bursar subscription`: a life at the terminal, previewed and done."""

from tests.cli.conftest import Terminal
from tests.support.agreements import a_plan
from tests.support.world import World

from bursar.cli.failing import Exit


async def test_a_life_at_the_terminal(terminal: Terminal, world: World) -> None:
    # Each verb ends where the API would; a dry run shows the lines and changes nothing.
    org = await world.org()
    plan, other, customer = await a_plan(org), await a_plan(org), await org.customer(token=None)
    of, verb = ("--org", org.id), ("subscription",)
    made = await terminal.run(
        *(*verb, "create", "--customer", customer.id, "--plan", plan.id, "--quantity", "2", *of)
    )
    assert made.code == Exit.DONE
    sub = made.value["id"]
    assert (made.value["status"], made.value["quantity"]) == ("active", 2)
    change = (*verb, "change-plan", sub, "--plan", other.id, *of)
    assert (await terminal.run(*change, "--dry-run")).value["planId"] == other.id
    assert (await terminal.run(*verb, "show", sub, *of)).value["planId"] == plan.id
    assert (await terminal.run(*change)).value["planId"] == other.id
    assert (await terminal.run(*verb, "update", sub, "--quantity", "3", *of)).value["quantity"] == 3
    for step, status in (("pause", "paused"), ("resume", "active")):
        assert (await terminal.run(*verb, step, sub, *of)).value["status"] == status
    waiting = await terminal.run(*verb, "lines", sub, *of)
    assert [each["kind"] for each in waiting.value] == [
        "subscription"
    ]  # the others are over nothing
    cancel = (*verb, "cancel", sub, "--now", "--reason", "moved away", *of)
    assert (await terminal.run(*cancel)).code != Exit.DONE  # nobody agreed
    ended = (await terminal.run(*cancel, "--yes")).value
    assert (ended["status"], ended["cancellationReason"]) == ("canceled", "moved away")
    assert (await terminal.run(*verb, "reactivate", sub, *of)).value["status"] == "active"
    listed = await terminal.run(*verb, "list", "--customer", customer.id, *of)
    assert [each["id"] for each in listed.value] == [sub]
    twice = await terminal.run(*verb, "resume", sub, *of)
    assert twice.code == Exit.CONFLICT
