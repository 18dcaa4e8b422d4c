"""An organization with one of each thing that has a page, made over HTTP as programs make them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from tests.support.storefront import Storefront

from bursar.runtime.installation import sandbox_api_key
from bursar.runtime.settings import load

_CARD: Final = "pm_card_visa"
_TERMS: Final = {"pricingModel": "flat_rate", "billingInterval": "month", "amountCents": 4900}
_LINES: Final = [{"description": "Advice", "unitAmountCents": 900}]
_DAYS_S: Final = 4 * 86_400  # two until funds are available, and the next midnight
_TRIES: Final = 240
_PAUSE_SECONDS: Final = 0.25


async def one_of_each(house: Storefront) -> dict[str, str]:
    """Their ids, by the slug of their page.

    The processor's clock runs days ahead from then on: for an installation of one's own.
    """
    return {
        **await _billed(house),
        **await _sold(house),
        **await _stored(house),
        **await _heard(house),
        "disputes": await _a_dispute(house),
        "dunning": await _a_case(house),
        "payouts": await _a_payout(house),  # the last, for days pass at the processor
    }


async def _buyer(house: Storefront, name: str, *, token: str = _CARD) -> str:
    """Somebody with a card."""
    customer_id = str((await house.customer(name))["id"])
    method = {"customerId": customer_id, "providerToken": token}
    await house.ask("POST", "/v1/payment-methods", method)
    return customer_id


async def _billed(house: Storefront) -> dict[str, str]:
    ask, customer_id = house.ask, await _buyer(house, "Fern & Fjord")
    paid = await house.invoice(customerId=customer_id)
    await ask("POST", f"/v1/invoices/{paid['id']}/pay", {"mode": "charge"})
    payment = (await ask("GET", f"/v1/payments?invoiceId={paid['id']}"))[0]["id"]
    refund = {"amountCents": 100}
    again = {"customerId": customer_id, "lines": _LINES, "interval": "month"}
    owed = await house.invoice(customerId=customer_id)
    note = {"invoiceId": owed["id"], "amountCents": 100}
    made = {
        "customers": customer_id,
        "invoices": paid["id"],
        "payments": payment,
        "payment-methods": await _first(house, f"payment-methods?customerId={customer_id}"),
        "refunds": await ask("POST", f"/v1/payments/{payment}/partial-refund", refund),
        "recurring-invoices": await ask("POST", "/v1/recurring-invoices", again),
        "credit-notes": await ask("POST", "/v1/credit-notes", note),
    }
    return _ids(made)


async def _sold(house: Storefront) -> dict[str, str]:
    ask, customer_id = house.ask, await _buyer(house, "Moss & Meadow")
    meter = {"name": "Calls", "key": "calls_of_every_page", "aggregation": "sum"}
    plan = await ask("POST", "/v1/plans", _TERMS | {"name": "Team"})
    bought = {"customerId": customer_id, "planId": plan["id"]}
    coupon = {"name": "Spring", "duration": "once", "percentOff": "20"}
    made = {
        "plans": plan,
        "meters": await ask("POST", "/v1/meters", meter),
        "subscriptions": await ask("POST", "/v1/subscriptions", bought),
        "coupons": await ask("POST", "/v1/coupons", coupon),
        "tax-rates": await ask("POST", "/v1/tax-rates", {"name": "VAT", "percentage": "19"}),
    }
    return _ids(made)


async def _stored(house: Storefront) -> dict[str, str]:
    ask, owner = house.ask, {"customerId": await _buyer(house, "Purse & Pocket")}
    goal = await ask("POST", "/v1/wallets", {"name": "Goal"})
    wallet = (await ask("POST", "/v1/wallets", {"name": "Till", **owner}))["id"]
    await ask("POST", f"/v1/wallets/{wallet}/deposit", {"amountCents": 9000, "mode": "charge"})
    moved = {"fromWalletId": wallet, "toWalletId": goal["id"], "amountCents": 100}
    made = {
        "wallets": wallet,
        "holds": await ask("POST", f"/v1/wallets/{wallet}/holds", {"amountCents": 100}),
        "transactions": await ask("POST", "/v1/transactions", moved),
    }
    return _ids(made)


async def _heard(house: Storefront) -> dict[str, str]:
    ask, hook = house.ask, {"url": "https://example.com/hook", "eventTypes": ["plan.archived"]}
    endpoint = (await ask("POST", "/v1/webhook-subscriptions", hook))["id"]
    key = {"name": "Every page", "scopes": ["billing:read"]}
    view = {"name": "Paid", "list": "customers"}
    made = {
        "webhooks": endpoint,
        "deliveries": await ask("POST", f"/v1/webhook-subscriptions/{endpoint}/test", {}),
        "api-keys": await ask("POST", "/v1/api-keys", key),
        "saved-views": await ask("POST", "/v1/saved-views", view),
        "events": await _first(house, "events"),
        "team": await _first(house, "members"),
    }
    return _ids(made)


async def _a_dispute(house: Storefront) -> str:
    """A payment that its bank took back."""
    customer_id = await _buyer(house, "Doubt & Sons", token="pm_card_createDispute")
    invoice = await house.invoice(customerId=customer_id)
    await house.ask("POST", f"/v1/invoices/{invoice['id']}/pay", {"mode": "charge"})
    payment = await _first(house, f"payments?invoiceId={invoice['id']}")
    return await _until(lambda: _found(house, f"disputes?paymentId={payment}", name="id"))


async def _a_case(house: Storefront) -> str:
    """An invoice whose first automatic payment failed."""
    customer_id = await _buyer(house, "Fading Flags", token="pm_card_chargeCustomerFail")
    plan = await house.ask("POST", "/v1/plans", _TERMS | {"name": "Flags"})
    bought = {"customerId": customer_id, "planId": plan["id"]}
    await house.ask("POST", "/v1/subscriptions", bought)
    return await _until(
        lambda: _found(house, f"dunning?customerId={customer_id}", name="invoiceId")
    )


async def _a_payout(house: Storefront) -> str:
    """What the processor sends to the bank when its days have passed, read from its books."""
    settings = load(house.here.environment)
    place = f"{settings.sandbox_url}/_sandbox/clock"
    key = {"Authorization": f"Bearer {sandbox_api_key(settings)}"}
    async with house.session.post(place, data={"advance": str(_DAYS_S)}, headers=key) as answer:
        assert answer.status == 200, await answer.text()
    code, said = await house.here.run("report", "reconcile", "--org", house.headers["x-org-id"])
    assert code == 0, said
    return await _first(house, "payouts")


async def _found(house: Storefront, of: str, *, name: str) -> str:
    found = await house.ask("GET", f"/v1/{of}")
    return str(found[0][name]) if found else ""


async def _first(house: Storefront, of: str) -> str:
    return str((await house.ask("GET", f"/v1/{of}"))[0]["id"])


async def _until(look: Callable[[], Awaitable[str]]) -> str:
    """What a worker is about to bring."""
    for _ in range(_TRIES):
        if found := await look():
            return found
        await asyncio.sleep(_PAUSE_SECONDS)
    raise AssertionError("nothing came of it")


def _ids(made: dict[str, Any]) -> dict[str, str]:
    return {slug: str(each if isinstance(each, str) else each["id"]) for slug, each in made.items()}
