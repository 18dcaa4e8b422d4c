"""Whatever is sent, an answer comes back: no request makes the sandbox fail or leaks its notes."""

import asyncio
from urllib.parse import urlencode

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.sandbox.worlds import World

from bursar_sandbox.control import ROUTES as CONTROL
from bursar_sandbox.core.wire import Request
from bursar_sandbox.routes import ROUTES

PATHS = sorted({(route.method, route.pattern) for route in (*ROUTES, *CONTROL.routes)})
PAGES = [(method, f"/{page}/{{}}") for method in ("GET", "POST") for page in ("checkout", "3ds")]
FIELDS = (
    "amount", "currency", "customer", "payment_method", "confirm", "off_session", "return_url",
    "metadata[k]", "metadata", "type", "card[number]", "card[exp_month]", "card[exp_year]",
    "payment_method_data[type]", "expand[]", "limit", "starting_after", "ending_before", "query",
    "created[gte]", "created", "charge", "payment_intent", "reason", "mode", "success_url",
    "line_items[0][price_data][unit_amount]", "line_items[0][price_data][currency]",
    "line_items[0][price_data][product_data][name]", "line_items[0][quantity]", "expires_at",
    "kind", "times", "probability", "advance", "outcome", "url", "enabled_events[]", "email",
    "automatic_payment_methods[enabled]", "payment_method_types[]", "number", "expiry", "cvc",
    "evidence[uncategorized_text]", "submit", "invoice_settings[default_payment_method]",
)  # fmt: skip
# As keys: who sends a field of such a name is told it again as the one that is not known.
PRIVATE = [
    f'"{name}":'.encode()
    for name in ("_token", "_session", "_return_url", "_secret", "_payout", "_intent")
]
VALUES = st.one_of(
    st.sampled_from(
        [
            "", "0", "1", "-1", "500", "99999999999999999999", "1.5", "true", "false", "null",
            "usd", "jpy", "card", "payment", "pm_card_visa", "pm_card_refundFail", "https://x.test",
            "pm_card_authenticationRequired", "pm_usBankAccount_success", "us_bank_account", "won",
            "4242424242424242", "12/34", "123", "12", "2034", "metadata['k']:'v'", "complete",
            "data.customer", "latest_charge.balance_transaction", "late", "delay", "*", "page_9",
        ]
    ),
    st.text(max_size=30),
)  # fmt: skip


async def _world() -> tuple[World, list[str]]:
    world = World()
    customer = await world.customer("pm_card_visa")
    paid = await world.pay("pm_card_createDispute")
    asked = await world.pay("pm_card_authenticationRequired")
    slow = await world.pay("pm_usBankAccount_success")
    session = await world.open_checkout()
    kinds = ("charge", "dispute", "payment_method", "event", "webhook_endpoint")
    known = [world.sandbox.books.all(kind)[0]["id"] for kind in kinds]
    return world, [customer, paid.id, asked.id, slow.id, session.id, *known, "nobody"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chosen=st.data())
def test_every_request_gets_an_answer(chosen: st.DataObject) -> None:
    # Any route, with any of its own or foreign ids and any fields, answers below 500.
    world, ids = asyncio.run(_world())
    for _ in range(5):
        method, pattern = chosen.draw(st.sampled_from([*PATHS, *PAGES]))
        while "{}" in pattern:
            pattern = pattern.replace("{}", chosen.draw(st.sampled_from(ids)), 1)
        names = st.one_of(st.sampled_from(FIELDS), st.text(max_size=8))
        values = st.one_of(VALUES, st.sampled_from(ids))
        fields = chosen.draw(st.lists(st.tuples(names, values), max_size=8))
        sent = urlencode(fields)
        path, body = (pattern, sent.encode()) if method == "POST" else (f"{pattern}?{sent}", b"")
        headers = {"Authorization": "Bearer sk_test_sandbox"}
        answer = world.sandbox.handle(Request(method, path, headers, body))
        assert 200 <= answer.status < 500
        assert not [name for name in PRIVATE if name in answer.body]
        world.now_ms += 3_000
    world.deliveries()
