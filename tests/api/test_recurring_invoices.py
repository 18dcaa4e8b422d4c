"""`/v1/recurring-invoices`: from the first invoice to the last."""

from datetime import UTC, datetime, timedelta

from tests.api.client import Client
from tests.support.world import Org, World

PATH = "/v1/recurring-invoices"
LINES = [{"description": "Retainer", "quantity": 2, "unitAmountDecimal": "0.5"}]


def wire(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def test_a_life(owner: Client, org: Org, world: World) -> None:
    # Begun, it makes an invoice at once; edited, paused, resumed, canceled: each is told.
    customer = await org.customer(token=None)
    made = await owner.post(
        PATH, {"customerId": customer.id, "lines": LINES, "interval": "week", "intervalCount": 2}
    )
    assert made.status == 201, made.body
    path = f"{PATH}/{made.value['id']}"
    assert made.headers["location"] == path
    await world.drain()
    issued = (await owner.get(path)).value
    assert (issued["occurrences"], issued["status"]) == (1, "active")
    invoice = (await owner.get(f"/v1/invoices/{issued['lastInvoiceId']}")).value
    assert (invoice["status"], invoice["totalCents"]) == ("open", 1)
    assert [line["description"] for line in invoice["lines"]] == ["Retainer"]
    edited = await owner.patch(path, {"memo": "Thanks", "autoSend": True})
    assert (edited.status, edited.value["memo"]) == (200, "Thanks")
    for step, status in (("pause", "paused"), ("resume", "active"), ("cancel", "canceled")):
        assert (await owner.post(f"{path}/{step}", {})).value["status"] == status
    again = await owner.post(f"{path}/resume", {})
    assert (again.status, again.error["code"]) == (409, "CONFLICT"), again.body
    told = await owner.get(f"/v1/events?resourceId={made.value['id']}&limit=50")
    assert [each["type"].partition(".")[2] for each in told.value] == [
        *("created", "issued", "updated", "paused", "resumed", "canceled")
    ]


async def test_what_makes_no_sense_is_refused(owner: Client, org: Org) -> None:
    # By the name of the field, before anything is written.
    customer = (await org.customer(token=None)).id
    now = datetime.now(UTC)
    good = {"customerId": customer, "lines": LINES, "interval": "day"}
    for field, more in (
        ("lines", {"lines": []}),
        ("interval", {"interval": "fortnight"}),
        ("intervalCount", {"intervalCount": 0}),
        ("startDate", {"startDate": wire(now - timedelta(days=2))}),
        ("endDate", {"endDate": wire(now - timedelta(days=2))}),
        ("autoSend", {"autoSend": True, "autoFinalize": False}),
        ("currency", {"currency": "eur"}),
        ("lines[0].unitAmountCents", {"lines": [{"description": "x"}]}),
    ):
        answer = await owner.post(PATH, {**good, **more})
        assert (answer.status, answer.fields) == (400, {field}), answer.body
    assert (await owner.get(f"{PATH}?customerId={customer}")).value == []


async def test_lists_filter(owner: Client, org: Org) -> None:
    # By customer and by state.
    ids, buyers = [], [(await org.customer(token=None)).id for _ in range(2)]
    for customer in buyers:
        body = {"customerId": customer, "lines": LINES, "interval": "day"}
        ids.append((await owner.post(PATH, body)).value["id"])
    await owner.post(f"{PATH}/{ids[0]}/pause", {})
    paused = await owner.get(f"{PATH}?status=paused")
    assert [each["id"] for each in paused.value] == ids[:1]
    theirs = await owner.get(f"{PATH}?customerId={buyers[1]}&status=active,paused")
    assert [each["id"] for each in theirs.value] == ids[1:]
