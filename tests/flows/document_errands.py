"""Errands about recurring invoices, for the tour: each dies at each of its points."""

from itertools import count
from typing import Any, Final
from urllib.parse import urlsplit

from tests.flows.crash_stage import Stage
from tests.flows.crash_tour import Arrange, Request

from bursar.api.hosted_links import own_hosted_url
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of

_numbers = count(1)
RECURRING: Final = "/v1/recurring-invoices"
# The template was made once, and so was its first invoice.
MADE: Final = """
    SELECT count(*) FROM recurring_invoices AS r WHERE r.memo = $1 AND r.occurrence = 1
        AND 1 = (SELECT count(*) FROM recurring_occurrences AS o
            WHERE o.recurring_invoice_id = r.id)
"""


def _template(customer_id: str) -> dict[str, Any]:
    return {
        "customerId": customer_id,
        "lines": [{"description": "Retainer", "unitAmountCents": 2500}],
        "interval": "month",
        "autoSend": True,
        "memo": f"tour {next(_numbers)}",
    }


async def _begin(stage: Stage) -> Request:
    body = _template((await stage.org.customer(token=None)).id)
    return Request(stage.client, "POST", RECURRING, body, MADE, body["memo"])


async def _made(stage: Stage) -> str:
    begun = await _begin(stage)
    made = await stage.client.post(begun.path, begun.body)
    assert made.status == 201, made.body
    return f"{RECURRING}/{made.value['id']}"


async def _edit(stage: Stage) -> Request:
    return Request(stage.client, "PATCH", await _made(stage), {"memo": "Thanks"})


async def _pause(stage: Stage) -> Request:
    return Request(stage.client, "POST", f"{await _made(stage)}/pause")


async def _resume(stage: Stage) -> Request:
    path = await _made(stage)
    assert (await stage.client.post(f"{path}/pause", {})).status == 200
    return Request(stage.client, "POST", f"{path}/resume")


async def _cancel(stage: Stage) -> Request:
    return Request(stage.client, "POST", f"{await _made(stage)}/cancel")


async def _send(stage: Stage) -> Request:
    draft = await stage.org.draft(await stage.org.customer(token=None))
    counted = "SELECT count(*) FROM mails WHERE invoice_id = $1"
    path = f"/v1/invoices/{draft.id}/send"
    return Request(stage.client, "POST", path, {}, counted, uuid_of(draft.id))


async def _duplicate(stage: Stage) -> Request:
    memo = f"tour {next(_numbers)}"
    body = {"customerId": (await stage.org.customer(token=None)).id, "memo": memo}
    first = await stage.client.post("/v1/invoices", body)
    counted = "SELECT count(*) - 1 FROM invoices WHERE memo = $1"
    path = f"/v1/invoices/{first.value['id']}/duplicate"
    return Request(stage.client, "POST", path, {}, counted, memo)


async def _import(stage: Stage) -> Request:
    email = f"tour{next(_numbers)}@example.com"
    body = {"content": f"reference,email,name\n{email},{email},Ada\n"}
    counted = "SELECT count(*) FROM customers WHERE email = $1"
    return Request(stage.client, "POST", "/v1/imports/customers", body, counted, email)


async def _open_balance(stage: Stage) -> Request:
    customer = await stage.org.customer(token=None)
    body = {"content": f"customerId,amountCents\n{customer.id},100\n"}
    counted = "SELECT count(*) FROM opening_balances WHERE customer_id = $1"
    key = uuid_of(customer.id)
    return Request(stage.client, "POST", "/v1/imports/opening-balances", body, counted, key)


async def _set_up(stage: Stage) -> Request:
    body = {"footer": f"tour {next(_numbers)}"}
    counted = "SELECT count(*) FROM document_settings WHERE footer = $1"
    return Request(stage.client, "PATCH", "/v1/document-settings", body, counted, body["footer"])


async def _assess_taxes(stage: Stage) -> Request:
    """No rate is automatic there, so the one that somebody put on goes."""
    rate = await stage.client.post("/v1/tax-rates", {"name": "VAT", "percentage": "10"})
    line = {"description": "Work", "unitAmountCents": 100, "taxRateIds": [rate.value["id"]]}
    customer = await stage.org.customer(token=None)
    draft = await stage.client.post("/v1/invoices", {"customerId": customer.id, "lines": [line]})
    counted = "SELECT count(*) FROM events WHERE resource_id = $1 AND type = 'invoice.updated'"
    path = f"/v1/invoices/{draft.value['id']}/assess-taxes"
    return Request(stage.client, "POST", path, {}, counted, uuid_of(draft.value["id"]))


async def _revoke_link(stage: Stage) -> Request:
    invoice = await stage.org.invoice(await stage.org.customer(token=None))
    counted = "SELECT hosted_generation - 1 FROM invoices WHERE id = $1"
    path = f"/v1/invoices/{invoice.id}/revoke-link"
    return Request(stage.client, "POST", path, {}, counted, uuid_of(invoice.id))


async def _renew_link(stage: Stage) -> Request:
    """The link that came before the current one, as if it had ended."""
    invoice = await stage.org.invoice(await stage.org.customer(token=None))
    connection = await stage.org.world.house.as_owner()
    try:
        query = "UPDATE invoices SET hosted_generation = 2 WHERE id = $1"
        await connection.execute(query, uuid_of(invoice.id))
    finally:
        await connection.close()
    old = own_hosted_url(stage.org.caller, invoice)
    assert old is not None
    counted = "SELECT count(*) FROM mails WHERE invoice_id = $1"
    path = f"{urlsplit(old).path}/renew"
    asked = Request(stage.client, "POST", path, None, counted, uuid_of(invoice.id))
    return replace(asked, again=(303,))


async def _print(stage: Stage) -> Request:
    invoice = await stage.org.invoice(await stage.org.customer(token=None))
    counted = "SELECT count(*) FROM prints WHERE invoice_id = $1"
    path = f"/v1/invoices/{invoice.id}/pdf"
    return Request(stage.client, "GET", path, None, counted, uuid_of(invoice.id))


DOCUMENT_ERRANDS: Final[tuple[Arrange, ...]] = (
    *(_begin, _edit, _pause, _resume, _cancel),
    *(_send, _duplicate, _import, _open_balance, _set_up, _renew_link),
    *(_revoke_link, _assess_taxes, _print),
)
