"""The scenes in which money moves: on a hosted page, by a stored card, after a decline, and once.

An answer that says "not known yet" is followed up, as an integrator has to.
"""

import asyncio
import re
from html import unescape
from typing import Any, Final
from urllib.parse import urlencode, urljoin

from bursar.cli.demo_cast import Cast, require
from bursar.cli.demo_http import Heard, Request, Unexpected
from bursar.cli.demo_receiver import verify
from bursar.runtime.ids import new_uuid

_AT_ONCE: Final = 50
_DECLINED: Final = 402
_ATTEMPTS_MAX: Final = 3
_ENDED: Final = frozenset({"succeeded", "failed", "canceled"})
_FORM: Final = re.compile(r'<form method="post" action="([^"]+)"')
_CARD: Final = {"number": "4242 4242 4242 4242", "expiry": "12/34", "cvc": "123"}
_FORM_TYPE: Final = {"Content-Type": "application/x-www-form-urlencoded"}


async def pay_by_card(cast: Cast) -> str:
    """The customer types a card number on the provider's page; its webhook tells us."""
    url = await _checkout_url(cast)
    page = (await cast.browser.get(url)).expect(200)
    form = _FORM.search(page.text)
    if form is None:
        raise Unexpected("a form to pay with", came=page)
    target = urljoin(url, unescape(form[1]))
    request = Request("POST", target, _FORM_TYPE, urlencode(_CARD).encode())
    back = (await cast.browser.send(request)).expect(303).headers["location"]
    (await cast.browser.get(back)).expect(200)
    cast.invoice = await cast.until(
        cast.invoice_path, lambda invoice: invoice["status"] == "paid", wanted="a paid invoice"
    )
    require(wanted=0, came=cast.invoice["amountDueCents"])
    return f"4242 on the provider's page; {cast.invoice['invoiceNumber']} is paid"


async def _checkout_url(cast: Cast) -> str:
    """Where the card is typed in; an attempt that came to nothing is begun again."""
    payment: Any = None
    for _ in range(_ATTEMPTS_MAX):
        heard = await cast.program.post(f"{cast.invoice_path}/pay", {"mode": "checkout"})
        payment = heard.expect(201, 202).value["payment"]
        if payment["checkoutUrl"] is None:
            payment = await cast.until(
                f"/v1/payments/{payment['id']}",
                lambda found: found["checkoutUrl"] is not None or found["status"] in _ENDED,
                wanted="a checkoutUrl",
            )
        if payment["checkoutUrl"] is not None:
            return str(payment["checkoutUrl"])
    raise Unexpected("a checkoutUrl", came=payment)


async def hear_webhook(cast: Cast) -> str:
    """`invoice.paid` is delivered, and both of its signatures hold."""
    delivery = await cast.receiver.wait_for(
        "invoice.paid", resource_id=cast.invoice["id"], seconds=cast.patience_seconds
    )
    verify(delivery, cast.webhook_secret)
    event = delivery.event
    require(wanted="paid", came=event["data"]["status"])
    return f"{event['id']} invoice.paid: Standard Webhooks and plain HMAC both hold"


async def charge_stored_card(cast: Cast) -> str:
    """A card is kept, and charged while the customer is away."""
    await _store(cast, "pm_card_visa")
    invoice = await cast.final_invoice("Second month", 4_900)
    require(wanted=_next_number(cast.invoice["invoiceNumber"]), came=invoice["invoiceNumber"])
    payment = await _charged(cast, invoice)
    return f"{payment['id']} succeeded, {payment['amountCents']} cents"


def _next_number(number: str) -> str:
    """The number after this one: there is no gap."""
    prefix, _, serial = number.rpartition("-")
    return f"{prefix}-{int(serial) + 1:0{len(serial)}}"


async def survive_decline(cast: Cast) -> str:
    """A card is declined with a reason; another one pays as soon as it is there."""
    await _store(cast, "pm_card_chargeCustomerFail")
    invoice = await cast.final_invoice("Third month", 5_900)
    heard = await cast.program.post(f"/v1/invoices/{invoice['id']}/pay", {"mode": "charge"})
    code = await _decline_code(cast, heard)
    unpaid = (await cast.program.get(f"/v1/invoices/{invoice['id']}")).expect(200).value
    require(wanted=("open", 0), came=(unpaid["status"], unpaid["amountPaidCents"]))
    await _store(cast, "pm_card_mastercard")
    payment = await _tried_again(cast, invoice)
    return f"402 {code}; then {payment['id']} succeeded with another card"


async def _tried_again(cast: Cast, invoice: Any) -> Any:
    """What paid a declined invoice: dunning tries a new card by itself, so nobody need ask."""
    path = f"/v1/invoices/{invoice['id']}"
    await cast.until(path, lambda found: found["status"] == "paid", wanted="a paid invoice")
    shown = (await cast.program.get(f"/v1/payments?invoiceId={invoice['id']}")).expect(200).value
    good = [each for each in shown if each["status"] == "succeeded"]
    require(wanted=[invoice["totalCents"]], came=[each["amountCents"] for each in good])
    return good[0]


async def _decline_code(cast: Cast, heard: Heard) -> str:
    """Why the card was declined, also when that was only known later."""
    if heard.expect(_DECLINED, 202).status == _DECLINED:
        require(wanted="PAYMENT_DECLINED", came=heard.error["code"])
        return str(heard.error["declineCode"])
    payment = await _ended(cast, heard.value["payment"])
    require(wanted="failed", came=payment["status"])
    return str(payment["failureCode"])


async def pay_at_once(cast: Cast) -> str:
    """Fifty requests with one idempotency key are one payment."""
    invoice = await cast.final_invoice("Fourth month", 6_900)
    path, key = f"/v1/invoices/{invoice['id']}/pay", str(new_uuid())
    body = {"mode": "charge"}
    heard = await asyncio.gather(
        *(cast.owner.post_once(path, body, key=key) for _ in range(_AT_ONCE))
    )
    last = (await cast.program.post(path, body, key=key)).expect(200, 202)
    bodies = {each.expect(200, 202).body for each in heard if not each.is_in_progress}
    require(wanted=1, came=len(bodies | {last.body}))
    waiting = sum(each.is_in_progress for each in heard)
    await _settled(cast, last.value["payment"])
    shown = (await cast.program.get(f"/v1/payments?invoiceId={invoice['id']}")).expect(200).value
    require(wanted=["succeeded"], came=[each["status"] for each in shown])
    replayed = sum(each.headers.get("idempotent-replayed") == "true" for each in heard)
    return (
        f"{_AT_ONCE - waiting} equal answers ({replayed} replayed), "
        f"{waiting} × 409 in progress, 1 payment"
    )


async def _store(cast: Cast, token: str) -> None:
    body = {"customerId": cast.customer_id, "providerToken": token}
    (await cast.program.post("/v1/payment-methods", body)).expect(201)


async def _charged(cast: Cast, invoice: Any) -> Any:
    heard = await cast.program.post(f"/v1/invoices/{invoice['id']}/pay", {"mode": "charge"})
    payment = await _settled(cast, heard.expect(200, 202).value["payment"])
    require(wanted=invoice["totalCents"], came=payment["amountCents"])
    paid = (await cast.program.get(f"/v1/invoices/{invoice['id']}")).expect(200).value
    require(wanted=("paid", 0), came=(paid["status"], paid["amountDueCents"]))
    return payment


async def _settled(cast: Cast, payment: Any) -> Any:
    payment = await _ended(cast, payment)
    require(wanted="succeeded", came=payment["status"])
    return payment


async def _ended(cast: Cast, payment: Any) -> Any:
    if payment["status"] in _ENDED:
        return payment
    path = f"/v1/payments/{payment['id']}"
    return await cast.until(path, lambda found: found["status"] in _ENDED, wanted="a known outcome")
