"""Answers that are known: the same bytes as long as nothing changed, and never a word longer."""

from tests.api.client import Client
from tests.api.people import key_client
from tests.support.world import Org, World

from bursar.api.envelope import resource, shown
from bursar.domain.invoices import Invoice
from bursar.domain.shapes.invoices import InvoiceOut
from bursar.operations.finalizing import FinalizeInvoice, finalize_invoice
from bursar.reads.invoices import invoice as invoice_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer


async def test_what_changed_is_told_at_once(owner: Client, org: Org) -> None:
    # Whatever is done to an invoice that was looked at a moment ago, the next look tells.
    made = await org.draft(await org.customer())
    path = f"/v1/invoices/{made.id}"
    receipt = {"amountCents": 1, "method": "cash", "receivedAt": made.created_at.isoformat()}
    line = {"description": "Other work", "unitAmountCents": 1200}
    steps: tuple[tuple[str, str, object, str, object], ...] = (
        ("PATCH", path, {"memo": "Thanks"}, "memo", "Thanks"),
        ("PATCH", path, {"lines": [line]}, "totalCents", 1200),
        ("POST", f"{path}/finalize", {}, "status", "open"),
        ("POST", f"{path}/record-payment", receipt, "amountPaidCents", 1),
        ("POST", f"{path}/revoke-link", {}, "amountDueCents", 1199),
    )
    before = await owner.get(path)
    for method, spot, body, name, value in steps:
        assert (await owner.get(path)).body == before.body
        assert (await owner.ask(method, spot, body)).status < 300
        after = await owner.get(path)
        assert after.value[name] == value
        assert after.headers["etag"] != before.headers["etag"]
        assert after.body != before.body
        before = after
    assert before.value["lines"][0]["description"] == "Other work"


async def test_it_is_written_once(org: Org, world: World) -> None:
    # Not for each who asks: only when a row of it became another, or somebody else's words tell it.
    told: list[str] = []

    def telling(caller: Caller, invoice: Invoice) -> Answer:
        told.append(invoice.status.value)
        return resource(InvoiceOut.of(invoice))

    def briefly(caller: Caller, invoice: Invoice) -> Answer:
        return Answer(200, invoice.status.value.encode())

    made = await org.draft(await org.customer())
    answers = [await shown(org.caller, invoice_look, telling, made.id) for _ in range(3)]
    assert answers == [resource(InvoiceOut.of(made))] * 3
    assert told == ["draft"]
    assert (await shown(org.caller, invoice_look, briefly, made.id)).body == b"draft"
    await org.caller.run(finalize_invoice, FinalizeInvoice(made.id))
    for _ in range(2):
        await shown(org.caller, invoice_look, telling, made.id)
    assert told == ["draft", "open"]


async def test_it_is_told_to_nobody_else(
    anyone: Client, owner: Client, org: Org, world: World
) -> None:
    # What the owner heard, another organization, a narrow key and one that is revoked do not hear.
    made = await org.invoice(await org.customer())
    path = f"/v1/invoices/{made.id}"
    heard = await owner.get(path)
    assert heard.status == 200
    narrow = await key_client(org, "wallets:read", anyone)
    other = await world.org()
    stranger = anyone.bearing(other.access_token, other.id)
    assert (await narrow.get(path)).status == 403
    assert (await stranger.get(path)).status == 404
    key = await key_client(org, "billing:read", anyone)
    assert (await key.get(path)).body == heard.body
    listed = await owner.get("/v1/api-keys")
    for each in listed.value:
        await owner.post(f"/v1/api-keys/{each['id']}/revoke")
    assert (await key.get(path)).status == 401
    assert (await owner.get(path)).body == heard.body
