"""Lists, search, expansion, keys and routes: the manners every resource shares."""

from typing import Any

import msgspec
import pytest
import stripe
from tests.sandbox.worlds import START_S, World
from tests.support.sandbox import control

from bursar_sandbox.core.wire import Request


async def test_pages_join_without_gap_or_overlap() -> None:
    # Walking by either cursor meets every object once, newest first.
    world = World()
    made = [await world.customer() for _ in range(7)]
    seen = [row.id async for row in _walk(world, 3)]
    assert seen == made[::-1]
    page = await world.v1.customers.list_async({"limit": 3, "ending_before": made[0]})
    assert [row.id for row in page.data] == [made[3], made[2], made[1]]
    assert page.has_more


async def _walk(world: World, limit: int) -> Any:
    page = await world.v1.customers.list_async({"limit": limit})
    async for row in page.auto_paging_iter():
        yield row


@pytest.mark.parametrize(
    "fields",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"starting_after": "cus_none"},
        {"starting_after": "a", "ending_before": "b"},
        {"colour": "red"},
        {"expand": ["data.email"]},
        {"expand": ["data"]},
        {"expand": ["data.a.b.c.d.e"]},
    ],
)
async def test_bad_lists_are_refused(fields: Any) -> None:
    # A list that cannot be meant is a 400 and not an empty page.
    world = World()
    await world.customer()
    with pytest.raises(stripe.InvalidRequestError):
        await world.v1.customers.list_async(fields)


async def test_intents_are_found_by_customer_and_creation_range() -> None:
    # What a watchdog needs when it knows neither id nor key: half-open ranges of creation time.
    world = World()
    customer = await world.customer()
    for second in range(3):
        world.now_ms = (START_S + second) * 1000
        await world.v1.payment_intents.create_async(
            {"amount": 500, "currency": "usd", "customer": customer}
        )
    await world.pay()
    found = await world.v1.payment_intents.list_async(
        {"customer": customer, "created": {"gte": START_S + 1, "lt": START_S + 2}}
    )
    assert [row.created for row in found.data] == [START_S + 1]


async def test_search_lags_an_hour_behind() -> None:
    # A fresh intent is listed at once and found by search only later.
    world = World()
    intent = await world.pay(metadata={"payment_id": "pay_7"})
    query: Any = {"query": "metadata['payment_id']:'pay_7' AND status:'succeeded'"}
    assert (await world.v1.payment_intents.search_async(query)).data == []
    world.now_ms += 3_600_000
    found = await world.v1.payment_intents.search_async(query)
    assert [row.id for row in found.data] == [intent.id]
    control(world.sandbox, "POST", "search", lag_seconds=0)
    fresh = await world.pay(metadata={"payment_id": "pay_8"})
    found = await world.v1.payment_intents.search_async(
        {"query": '-metadata["payment_id"]:"pay_7" AND amount>=1999'}
    )
    assert [row.id for row in found.data] == [fresh.id]


async def test_customers_are_searched_too() -> None:
    # A customer is found by metadata, and no more once it is deleted.
    world = World()
    control(world.sandbox, "POST", "search", lag_seconds=0)
    made = await world.v1.customers.create_async({"metadata": {"customer_id": "cus_7"}})
    query: Any = {"query": "metadata['customer_id']:'cus_7'"}
    assert [row.id for row in (await world.v1.customers.search_async(query)).data] == [made.id]
    await world.v1.customers.delete_async(made.id)
    assert (await world.v1.customers.search_async(query)).data == []


@pytest.mark.parametrize("query", ["", "nonsense", "status:'a' OR amount>1 AND amount<2", "id:'x'"])
async def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    # A search never quietly ignores a part of its query.
    world = World()
    with pytest.raises(stripe.InvalidRequestError):
        await world.v1.payment_intents.search_async({"query": query})


async def test_expansion_reaches_through_objects() -> None:
    # Ids turn into objects along a dotted path, also inside a list.
    world = World()
    customer = await world.customer("pm_card_visa")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0].id
    await world.pay(method, customer=customer)
    listed = await world.v1.payment_intents.list_async(
        {"expand": ["data.customer", "data.latest_charge.balance_transaction"]}
    )
    intent = listed.data[0]
    assert isinstance(intent.customer, stripe.Customer)
    assert isinstance(intent.latest_charge, stripe.Charge)
    assert isinstance(intent.latest_charge.balance_transaction, stripe.BalanceTransaction)


async def test_a_deleted_customer_stays_known_as_deleted() -> None:
    # The id answers `deleted`, its methods are gone, and it can pay no more.
    world = World()
    customer = await world.customer("pm_card_visa")
    await world.v1.customers.delete_async(customer)
    gone = await world.v1.customers.retrieve_async(customer)
    assert gone.to_dict() == {"id": customer, "object": "customer", "deleted": True}
    assert (await world.v1.customers.list_async()).data == []
    with pytest.raises(stripe.InvalidRequestError) as caught:
        await world.pay(customer=customer)
    assert caught.value.code == "resource_missing"


async def test_metadata_merges_and_clears() -> None:
    # A key is kept, changed or removed alone; an empty string clears them all.
    world = World()
    customer = await world.v1.customers.create_async({"metadata": {"a": "1", "b": "2"}})
    update = world.v1.customers.update_async
    merged = await update(customer.id, {"metadata": {"b": "", "c": "3"}, "name": "Jo"})
    assert merged.to_dict()["metadata"] == {"a": "1", "c": "3"}
    cleared = await update(customer.id, {"metadata": ""})
    assert (cleared.to_dict()["metadata"], cleared.name) == ({}, "Jo")


async def test_a_default_method_must_be_the_customers_own() -> None:
    # The default can only be a method that is attached to this customer.
    world = World()
    customer = await world.customer("pm_card_visa")
    method = (await world.v1.customers.payment_methods.list_async(customer)).data[0]
    other = await world.customer()
    settings: Any = {"invoice_settings": {"default_payment_method": method.id}}
    with pytest.raises(stripe.InvalidRequestError):
        await world.v1.customers.update_async(other, settings)
    kept = await world.v1.customers.update_async(customer, settings)
    assert kept.invoice_settings is not None
    assert kept.invoice_settings.default_payment_method == method.id
    await world.v1.payment_methods.detach_async(method.id)
    after = await world.v1.customers.retrieve_async(customer)
    assert after.invoice_settings is not None
    assert after.invoice_settings.default_payment_method is None


async def test_cards_come_from_numbers_and_tokens() -> None:
    # Test numbers and the older card tokens make the same methods as the newer tokens.
    world = World()
    create = world.v1.payment_methods.create_async
    typed = await create(
        {
            "type": "card",
            "card": {"number": "5555555555554444", "exp_month": 8, "exp_year": 2031, "cvc": "314"},
        }
    )
    assert typed.card is not None
    assert (typed.card.brand, typed.card.last4, typed.card.exp_year) == ("mastercard", "4444", 2031)
    token = await create({"type": "card", "card": {"token": "tok_visa"}})
    assert token.card is not None
    assert token.card.last4 == "4242"
    with pytest.raises(stripe.CardError) as caught:
        await create({"type": "card", "card": {"number": "4242424242424241"}})
    assert caught.value.code == "incorrect_number"


@pytest.mark.parametrize("key", ["", "Bearer sk_test_wrong", "Basic !!!", "Bearer"])
@pytest.mark.parametrize("path", ["/v1/customers", "/_sandbox/books"])
def test_a_wrong_key_is_refused(key: str, path: str) -> None:
    # Neither the published routes nor the control routes answer a stranger.
    world = World()
    answer = world.sandbox.handle(Request("GET", path, {"Authorization": key}))
    assert answer.status == 401
    assert "error" in msgspec.json.decode(answer.body)
    assert "Request-Id" in answer.headers


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/unicorns", b"", 404),
        ("PATCH", "/v1/customers", b"", 404),
        ("POST", "/v1/customers", b"\xff", 400),
        ("POST", "/v1/customers", b"a[b=1", 400),
        ("POST", "/v1/customers", b"email=a&email[b]=c", 400),
        ("POST", "/v1/customers", b"metadata=x", 400),
        ("POST", "/v1/customers", b"metadata[a][b]=x", 400),
        ("POST", "/v1/customers", b"a[b][c][d][e][f][g][h][i]=1", 400),
        ("POST", "/v1/customers", b"x=1&" * 3000, 400),
        ("POST", "/v1/customers", b"name=" + b"x" * (1 << 20), 413),
        ("POST", "/_sandbox/clock", b"{", 400),
        ("POST", "/_sandbox/clock", b'{"advance": -1}', 400),
        ("POST", "/_sandbox/nothing", b"", 404),
    ],
)
def test_nonsense_is_refused(method: str, path: str, body: bytes, status: int) -> None:
    # Malformed requests get an error object, and nothing a caller sends raises.
    world = World()
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    answer = world.sandbox.handle(Request(method, path, headers, body))
    assert answer.status == status
    assert "message" in msgspec.json.decode(answer.body)["error"]


def test_control_routes_take_json() -> None:
    # Times and clocks may be written as JSON numbers.
    world = World()
    headers = {"Authorization": "Bearer sk_test_sandbox"}
    request = Request("POST", "/_sandbox/clock", headers, b'{"advance": 60}')
    assert msgspec.json.decode(world.sandbox.handle(request).body)["now"] == START_S + 60
    assert world.sandbox.now_ms == (START_S + 60) * 1000


async def test_a_reset_forgets_all_but_the_endpoint() -> None:
    # After a reset the world is new, and events still know where to go.
    world = World()
    await world.customer("pm_card_visa")
    control(world.sandbox, "POST", "reset")
    assert (await world.v1.customers.list_async()).data == []
    await world.customer()
    assert world.events() == ["customer.created"]
