"""`bursar wallet`: from the first deposit to the end of a wallet, at the terminal."""

from tests.cli.conftest import Terminal
from tests.support.world import World

from bursar.cli.failing import Exit


async def test_a_wallets_life_at_the_terminal(terminal: Terminal, world: World) -> None:
    # Each verb does what the API does; what moves money out asks first.
    org = await world.org()
    customer = await org.customer(None)
    at = ("--org", org.id)
    made = await terminal.run("wallet", "create", *at, "--customer", customer.id, "--name", "Pre")
    wallet_id = made.value["id"]
    assert made.value["customerId"] == customer.id
    filled = await terminal.run("wallet", "deposit", wallet_id, *at, "--amount", "900")
    assert filled.value["balanceCents"] == 900
    held = await terminal.run("wallet", "hold", wallet_id, *at, "--amount", "300")
    unasked = await terminal.run("wallet", "withdraw", wallet_id, *at, "--amount", "10")
    assert unasked.code == Exit.USAGE
    much = await terminal.run("wallet", "withdraw", wallet_id, *at, "--amount", "601", "--yes")
    assert much.code == Exit.CONFLICT
    hold_id = held.value["id"]
    taken = await terminal.run(
        "wallet", "capture", hold_id, *at, "--amount", "200", "--yes", "--reason", "no show"
    )
    assert taken.value["capturedCents"] == 200
    assert (await terminal.run("wallet", "release", hold_id, *at)).code == Exit.CONFLICT
    await terminal.run("wallet", "withdraw", wallet_id, *at, "--amount", "700", "--yes")
    lines = (await terminal.run("wallet", "history", wallet_id, *at)).value
    assert [(each["amountCents"], each["balanceCents"]) for each in lines] == [
        (-700, 0),
        (-200, 700),
        (900, 900),
    ]
    closed = await terminal.run("wallet", "close", wallet_id, *at, "--yes")
    assert closed.value["status"] == "closed"
    shown = await terminal.run("wallet", "show", wallet_id, *at)
    assert shown.value == closed.value
    listed = await terminal.run("wallet", "list", *at, "--status", "closed")
    assert [each["id"] for each in listed.value] == [wallet_id]
