"""`bursar dunning`: what is done about a debt, seen and decided by hand."""

from tests.cli.conftest import Terminal
from tests.support.world import Org, World

from bursar.cli.failing import Exit
from bursar.domain.ids import InvoiceId
from bursar.domain.payments import PaymentStatus

LATER = "pm_sandbox_later_insufficient_funds"


async def a_debt(org: Org) -> InvoiceId:
    invoice = await org.invoice(await org.customer(LATER))
    assert (await org.pay(invoice.id)).status is PaymentStatus.FAILED
    return invoice.id


async def test_a_debt_at_the_terminal(terminal: Terminal, world: World) -> None:
    # It is seen, rests while it is paused, is tried at once, and is ended by hand, each with its
    # own word of who decided; what is over cannot be decided again.
    org = await world.org()
    debt, other = await a_debt(org), await a_debt(org)
    of, verb = ("--org", org.id), ("dunning",)
    seen = (await terminal.run(*verb, "status", debt, *of)).value
    assert (seen["retryCount"], seen["currentAction"], seen["resolvedAt"]) == (0, "retry", None)
    listed = (await terminal.run(*verb, "status", *of)).value
    assert {each["invoiceId"] for each in listed} == {debt, other}

    assert (await terminal.run(*verb, "pause", debt, *of)).code == Exit.USAGE  # and why?
    paused = (await terminal.run(*verb, "pause", debt, "--reason", "a promise", *of)).value
    assert (paused["pauseReason"], paused["resolvedAt"]) == ("a promise", None)
    resumed = (await terminal.run(*verb, "resume", debt, *of)).value
    assert (resumed["pauseReason"], resumed["nextRetryAt"] is None) == (None, False)

    tried = await terminal.run(*verb, "retry-now", debt, *of)
    assert tried.code == Exit.DONE
    await world.drain()
    seen = (await terminal.run(*verb, "status", debt, *of)).value
    assert (seen["retryCount"], seen["declineCode"]) == (1, "insufficient_funds")

    ended = (await terminal.run(*verb, "resolve", debt, "--reason", "paid in cash", *of)).value
    assert (ended["resolution"], ended["nextRetryAt"]) == ("by_hand", None)
    assert (await terminal.run(*verb, "retry-now", debt, *of)).code == Exit.CONFLICT
    still = (await terminal.run(*verb, "status", *of)).value
    assert [each["invoiceId"] for each in still] == [other]
    every = (await terminal.run(*verb, "status", "--all", *of)).value
    assert {each["invoiceId"] for each in every} == {debt, other}


async def test_a_debt_that_is_not(terminal: Terminal, world: World) -> None:
    # An invoice that nobody tried to collect, and one of another organization, are not found.
    org, stranger = await world.org(), await world.org()
    theirs = await a_debt(stranger)
    mine = await org.invoice(await org.customer(None))
    for known in (mine.id, theirs):
        for step in ("status", "resolve", "retry-now", "resume"):
            said = await terminal.run("dunning", step, known, "--org", org.id)
            assert said.code == Exit.NOT_FOUND, (step, said.err)
