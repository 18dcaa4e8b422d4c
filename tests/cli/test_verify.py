"""`bursar verify` and `audit verify`: green when all agrees, 9 and the ids when it does not."""

from uuid import uuid4

import msgspec
from tests.cli.conftest import Terminal
from tests.support.world import Org, World

from bursar.cli.failing import Exit
from bursar.cli.verifying import BOOKS, HEADS
from bursar.domain.ids import InvoiceId, OrgId, PaymentId, uuid_of
from bursar.domain.provider import ChargeRequest, Succeeded
from bursar.runtime.anchors import Anchors
from bursar.runtime.installation import anchors_path


async def lived_in(world: World) -> Org:
    """An organization with money in its books and a sealed, anchored log."""
    org = await world.org()
    invoice = await org.invoice(await org.customer())
    await org.pay(invoice.id)
    await world.drain()
    await world.seal()
    return org


async def verdicts(terminal: Terminal, org_id: OrgId) -> tuple[int, dict[str, list[str]]]:
    """The exit code, and the offenders of each check that failed."""
    said = await terminal.run("verify", "--org", org_id)
    assert {each["orgId"] for each in said.value} == {org_id}
    bad = {each["check"]: each["offenders"] for each in said.value if each["verdict"] != "ok"}
    return said.code, bad


async def test_books_that_agree_are_green(terminal: Terminal, world: World) -> None:
    # Every check is told with what it looked at; the processor and the signed heads among them.
    org = await lived_in(world)
    said = await terminal.run("verify", "--org", org.id)
    assert said.code == Exit.DONE
    assert "all green" in said.err
    counted = {each["check"]: each["counted"] for each in said.value}
    assert counted[BOOKS] == 1
    assert counted[HEADS] >= 1
    assert (await terminal.run("audit", "verify", "--org", org.id)).code == Exit.DONE


async def test_a_charge_that_only_the_processor_knows_is_found(
    terminal: Terminal, world: World
) -> None:
    # Money in the processor's books and not in ours is named by the payment it claims to be.
    org = await lived_in(world)
    customer = await org.customer()
    assert customer.provider_reference is not None
    invoice = await org.invoice(customer)
    stray = PaymentId(f"pay_{uuid7_like()}")
    charged = await world.provider.charge(
        ChargeRequest(
            org_id=org.id,
            payment_id=stray,
            invoice_id=InvoiceId(invoice.id),
            amount=invoice.total,
            customer_reference=customer.provider_reference,
            method_reference=None,
            description="stray",
            return_url="http://bursar.test/",
        )
    )
    assert isinstance(charged, Succeeded)
    code, bad = await verdicts(terminal, org.id)
    assert code == Exit.PROBLEMS
    assert list(bad) == [BOOKS]
    assert stray in bad[BOOKS][0]


async def test_a_rewritten_log_is_found_by_chain_and_heads(
    terminal: Terminal, world: World
) -> None:
    # An event edited behind the application's back breaks the chain, and its id is named.
    org = await lived_in(world)
    owner = await world.house.as_owner()
    try:
        await owner.execute("ALTER TABLE events DISABLE TRIGGER append_only")
        edited = await owner.fetchval(
            "UPDATE events SET actor = 'nobody' WHERE org_id = $1 AND id IN"
            " (SELECT event_id FROM event_seals WHERE org_id = $1 AND position = 2) RETURNING id",
            uuid_of(org.id),
        )
    finally:
        await owner.execute("ALTER TABLE events ENABLE TRIGGER append_only")
        await owner.close()
    code, bad = await verdicts(terminal, org.id)
    assert code == Exit.PROBLEMS
    assert any(str(edited) in each for offenders in bad.values() for each in offenders)
    assert (await terminal.run("audit", "verify", "--org", org.id)).code == Exit.PROBLEMS


async def test_a_shortened_chain_is_found_by_its_signed_heads(
    terminal: Terminal, world: World
) -> None:
    # The chain alone cannot show that its tail is gone; the head kept outside can.
    org = await lived_in(world)
    path = anchors_path(world.house.settings)
    heads = [head for head in Anchors(path, world.app.keys).heads() if head.org == org.id]
    owner = await world.house.as_owner()
    try:
        await owner.execute("ALTER TABLE event_seals DISABLE TRIGGER append_only")
        await owner.execute(
            "DELETE FROM event_seals WHERE org_id = $1 AND position = $2",
            uuid_of(org.id),
            heads[-1].position,
        )
    finally:
        await owner.execute("ALTER TABLE event_seals ENABLE TRIGGER append_only")
        await owner.close()
    code, bad = await verdicts(terminal, org.id)
    assert code == Exit.PROBLEMS
    assert f"position {heads[-1].position} is gone" in bad[HEADS]


async def test_a_forged_head_counts_for_nothing(terminal: Terminal, world: World) -> None:
    # Anyone can append a line to the file; only a signature of ours is believed.
    org = await lived_in(world)
    line = {"org": org.id, "position": 1, "hash": "00" * 32, "signature": "00" * 64}
    with anchors_path(world.house.settings).open("ab") as file:
        file.write(msgspec.json.encode(line) + b"\n")
    assert await verdicts(terminal, org.id) == (Exit.DONE, {})


def uuid7_like() -> str:
    text = str(uuid4())
    return f"{text[:14]}7{text[15:]}"
