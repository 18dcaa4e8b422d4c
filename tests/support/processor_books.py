"""The processor's books beside ours after a storm: no money twice, none lost, none invented."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import asyncpg

from bursar_sandbox.sandbox import Sandbox

_HOLDING: Final = frozenset({"succeeded", "refunded", "partially_refunded"})
_PAYMENTS: Final = """
SELECT
    'pay_' || p.id AS id, 'inv_' || p.invoice_id AS invoice_id, p.status, p.amount_minor,
    i.status AS invoice_status
FROM payments AS p JOIN invoices AS i ON i.org_id = p.org_id AND i.id = p.invoice_id
WHERE p.org_id = $1
"""
_REFUNDS: Final = """
SELECT 'rfd_' || r.id AS id, r.status, r.amount_minor FROM refunds AS r WHERE r.org_id = $1
"""


async def wrong_books(
    connection: "asyncpg.Connection[asyncpg.Record]", org_id: UUID, sandbox: Sandbox
) -> list[str]:
    """Every difference; none when the books agree to the cent."""
    payments = {row["id"]: row for row in await connection.fetch(_PAYMENTS, org_id)}
    refunds = {row["id"]: row for row in await connection.fetch(_REFUNDS, org_id)}
    charges = [row for row in sandbox.books.all("charge") if row["status"] == "succeeded"]
    given = [row for row in sandbox.books.all("refund") if row["status"] == "succeeded"]
    return [*_wrong_payments(payments, charges), *_wrong_refunds(refunds, given)]


def _wrong_payments(ours: dict[str, Any], charges: list[Any]) -> Iterator[str]:
    taken = {row["metadata"]["payment_id"]: row for row in charges}
    for invoice_id, times in Counter(row["metadata"]["invoice_id"] for row in charges).items():
        if times > 1:
            yield f"double charge: {invoice_id} was charged {times} times"
    for one, charge in taken.items():
        if one not in ours or ours[one]["status"] not in _HOLDING:
            status = ours[one]["status"] if one in ours else "not there"
            yield f"lost payment: {one} was charged, and is {status}"
        elif ours[one]["amount_minor"] != charge["amount"]:
            yield f"{one} took {charge['amount']}, we say {ours[one]['amount_minor']}"
        elif ours[one]["invoice_status"] != "paid":
            yield f"lost payment: {ours[one]['invoice_id']} is {ours[one]['invoice_status']}"
    for one, payment in ours.items():
        if payment["status"] in _HOLDING and one not in taken:
            yield f"invented payment: {one} is {payment['status']}, nothing was charged"


def _wrong_refunds(ours: dict[str, Any], given: list[Any]) -> Iterator[str]:
    back = {row["metadata"]["refund_id"]: row for row in given}
    for one, times in Counter(row["metadata"]["refund_id"] for row in given).items():
        if times > 1:
            yield f"double refund: {one} was given back {times} times"
    for one, refund in back.items():
        if one not in ours or ours[one]["status"] != "succeeded":
            status = ours[one]["status"] if one in ours else "not there"
            yield f"lost refund: {one} was given back, and is {status}"
        elif ours[one]["amount_minor"] != refund["amount"]:
            yield f"{one} gave back {refund['amount']}, we say {ours[one]['amount_minor']}"
    for one, refund in ours.items():
        if refund["status"] == "succeeded" and one not in back:
            yield f"invented refund: {one} is succeeded, nothing was given back"
