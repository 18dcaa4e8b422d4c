"""Erasing a person: nothing says who they were any more, and the log is still whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from tests.support.database import Installation, beside
from tests.support.world import Org, World, open_world

from bursar.domain.customers import ERASED_EMAIL, ERASED_NAME, Customer, Erasure
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.import_files import FileFormat
from bursar.domain.paging import Page
from bursar.domain.refusals import NotFound, StillInUse
from bursar.domain.sending import WebhookAnswer
from bursar.flows.create_customer import create_customer_everywhere
from bursar.flows.save_method import AttachMethod, attach_method
from bursar.flows.send_invoice import send_invoice
from bursar.operations.customers import (
    CreateCustomer,
    DeleteCustomer,
    EraseCustomer,
    UpdateCustomer,
    delete_customer,
    erase_customer,
    update_customer,
)
from bursar.operations.imports import ImportFile, import_customers
from bursar.operations.payment_methods import NameMethod, detach_method
from bursar.operations.webhook_subscriptions import SubscribeWebhook, subscribe_webhook
from bursar.reads.customers import CustomerFilters, customers
from bursar.reads.payment_methods import MethodFilters, payment_methods
from bursar.reads.verify import CHAIN, chain, checks

MARK = "zerubabel"
SPARE_CARD = "pm_card_mastercard"
TABLES = """
SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'sec', 'directory', 'queue')
"""


@pytest.fixture(scope="module")
async def world(house: Installation) -> AsyncIterator[World]:
    """One of its own: every row of every table is looked at."""
    async with beside(house) as database, open_world(database) as made:
        yield made


async def superuser(world: World) -> "asyncpg.Connection[asyncpg.Record]":
    return await asyncpg.connect(world.house.superuser_url)


async def places_of(world: World, text: str) -> list[str]:
    """Every table in which the text stands, in letters or as bytes."""
    connection = await superuser(world)
    try:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        each = (
            f"SELECT '{table}' FROM (SELECT lower(t::text) AS said FROM {table} AS t) AS t"
            " WHERE strpos(said, $1) > 0 OR strpos(said, $2) > 0"
            for table in tables
        )
        query = " UNION ".join(each)
        return sorted(row[0] for row in await connection.fetch(query, text, text.encode().hex()))
    finally:
        await connection.close()


async def tables_of_rows(world: World, ids: list[str], digits: str) -> list[str]:
    """Every table with a row that names one of these and shows a card's last digits."""
    needles = [f",{digits},", f'"{digits}"', f'"{digits}"'.encode().hex()]
    connection = await superuser(world)
    try:
        tables = [row[0] for row in await connection.fetch(TABLES)]
        each = (
            f"SELECT '{table}' FROM {table} AS t WHERE EXISTS ("
            " SELECT FROM unnest($1::text[]) AS n WHERE strpos(t::text, n) > 0) AND EXISTS ("
            " SELECT FROM unnest($2::text[]) AS n WHERE strpos(t::text, n) > 0)"
            for table in tables
        )
        found = await connection.fetch(" UNION ".join(each), ids, needles)
        return sorted(row[0] for row in found)
    finally:
        await connection.close()


async def a_person(org: Org) -> Customer:
    """Whose name is in each of their fields, and in the former ones too."""
    made = await create_customer_everywhere(
        org.caller,
        CreateCustomer(
            email=f"{MARK}@example.com",
            name=f"{MARK.title()} Quux",
            tax_id=f"X{MARK}",
            address={"line1": f"{MARK} street 1", "city": "Basel", "country": "CH"},
            metadata={"nick": MARK},
        ),
    )
    await attach_method(org.caller, AttachMethod(made.id, "pm_card_visa"))
    changes = {"name": f"{MARK.title()} Married", "email": f"married.{MARK}@example.com"}
    return await org.caller.run(update_customer, UpdateCustomer(made.id, changes))


async def a_life(world: World, org: Org) -> Customer:
    """They were billed, written to and paid, and an endpoint repeated what it heard of them."""
    hook = SubscribeWebhook("https://hooks.example.com/echo", ("*",))
    await org.caller.run(subscribe_webhook, hook)
    world.postman.mood = lambda request: WebhookAnswer(200, request.body.decode()[:1000], 1)
    try:
        customer = await a_person(org)
        await send_invoice(org.caller, (invoice := await org.draft(customer)).id)
        await world.drain()
        await org.pay(invoice.id)
        await world.drain()
    finally:
        world.postman.mood = None
    await world.seal()
    return customer


async def erase(org: Org, customer: Customer, *, is_dry_run: bool = False) -> Erasure:
    caller = replace(org.caller, reason="they asked for it", is_dry_run=is_dry_run)
    return await caller.run(erase_customer, EraseCustomer(customer.id))


async def told(world: World, customer: Customer) -> list[asyncpg.Record]:
    connection = await superuser(world)
    try:
        query = "SELECT * FROM events WHERE resource_id = $1 ORDER BY sequence"
        return await connection.fetch(query, uuid_of(customer.id))
    finally:
        await connection.close()


async def test_an_erased_person_stands_in_no_table(world: World) -> None:
    # Before, they stand in many; afterwards in none, their books agree and the chain is unbroken.
    org = await world.org()
    customer = await a_life(world, org)
    before = await places_of(world, MARK)
    assert {"public.customers", "public.mails", "public.former_parties"} <= set(before)
    assert "public.webhook_attempts" in before
    assert any("events" in place for place in before)
    tried = await erase(org, customer, is_dry_run=True)
    assert await places_of(world, MARK) == before
    done = await erase(org, customer)
    assert (tried.events, tried.mails, tried.answers) == (done.events, done.mails, done.answers)
    of_methods = 1  # the card that was attached
    assert (done.events, done.documents) == (len(await told(world, customer)) - 2 + of_methods, 1)
    assert min(done.mails, done.answers) > 0
    await world.drain()
    assert await places_of(world, MARK) == []
    told_to_the_provider = json.dumps(world.sandbox.books.all("customer"), default=str)
    assert MARK not in told_to_the_provider
    await world.seal()
    assert [each.name for each in await org.caller.look(checks) if not each.is_good] == []


async def test_no_row_of_an_erased_person_shows_their_cards(world: World) -> None:
    # Every row of every table that names them or a card of theirs is read, one detached before too;
    # afterwards the provider has neither, and the chain is unbroken.
    org = await world.org()
    customer = await a_person(org)
    former = (await attach_method(org.caller, AttachMethod(customer.id, SPARE_CARD))).method
    await org.caller.run(detach_method, NameMethod(former.id))
    filters = MethodFilters(customer_id=customer.id, has_detached=True)
    methods = (await org.caller.look(payment_methods, Page(), filters)).items
    ids = [str(uuid_of(each)) for each in (customer.id, *(method.id for method in methods))]
    faces = [method.face.last4 or "" for method in methods]
    assert sorted(faces) == ["4242", "4444"]
    for digits in faces:
        shown = await tables_of_rows(world, ids, digits)
        assert "public.payment_methods" in shown
        assert any("events" in table for table in shown)
    await erase(org, customer)
    assert [await tables_of_rows(world, ids, digits) for digits in faces] == [[], []]
    await world.drain()
    cards = world.sandbox.books.all("payment_method")
    references = {method.provider_reference for method in methods}
    owners = [card["customer"] for card in cards if card["id"] in references]
    assert owners == [None, None]
    await world.seal()
    assert (await org.caller.look(chain)).offenders == ()


@pytest.mark.parametrize("point", ["prepare_method.after_commit", "keep_method.before_commit"])
async def test_a_card_that_comes_while_its_owner_goes_is_sent_back(
    world: World, point: str
) -> None:
    # Whichever is first: the provider has neither the card nor the name, and the caller is told.
    org = await world.org()
    customer = await org.customer(token=None)
    erasing: list[asyncio.Task[Erasure]] = []

    async def meanwhile(passed: str) -> None:
        if passed == point:
            erasing.append(asyncio.create_task(erase(org, customer)))
            await asyncio.wait(erasing, timeout=0.2)  # it waits for whoever holds the customer

    caller = replace(org.caller, app=replace(world.app, checkpoint=meanwhile))
    with suppress(NotFound) if point.startswith("keep") else pytest.raises(NotFound):
        await attach_method(caller, AttachMethod(customer.id, "pm_card_visa"))
    assert (await erasing[0]).customer_id == customer.id
    await world.drain()
    person = person_of(world, customer)
    assert (person["email"], person["name"]) == (ERASED_EMAIL, ERASED_NAME)
    assert cards_of(world, customer) == []


@pytest.mark.parametrize("is_told_first", [True, False])
async def test_a_card_that_nobody_kept_goes_with_its_owner(
    world: World, is_told_first: bool
) -> None:
    # Whoever attached it died before it was kept: it goes with the erasure; or, if the provider was
    # told of that before the card came there, with what is told again later.
    org = await world.org()
    customer = await org.customer(token=None)

    async def die(passed: str) -> None:
        if passed == "prepare_method.after_commit" and is_told_first:
            await erase(org, customer)
            await world.drain()
        if passed == "keep_method.before_commit":
            raise asyncio.CancelledError(passed)

    caller = replace(org.caller, app=replace(world.app, checkpoint=die))
    with pytest.raises(asyncio.CancelledError):
        await attach_method(caller, AttachMethod(customer.id, "pm_card_visa"))
    assert len(cards_of(world, customer)) == 1
    if not is_told_first:
        await erase(org, customer)
    await world.drain()
    assert len(cards_of(world, customer)) == is_told_first
    await world.make_due(org)
    await world.drain()
    assert cards_of(world, customer) == []
    assert person_of(world, customer)["email"] == ERASED_EMAIL


def person_of(world: World, customer: Customer) -> Any:
    """Them, as the provider knows them."""
    (person,) = (
        each
        for each in world.sandbox.books.all("customer")
        if each["metadata"].get("customer_id") == customer.id
    )
    return person


def cards_of(world: World, customer: Customer) -> list[str]:
    """What the provider would charge them by."""
    there = person_of(world, customer)["id"]
    cards = world.sandbox.books.all("payment_method")
    return [card["id"] for card in cards if card["customer"] == there]


async def test_nobody_knows_under_which_name_an_erased_person_came(world: World) -> None:
    # The reference of an import, and the digest of its row, go with the person.
    org = await world.org()
    content = f"reference,email,name\n{MARK}-7,seven@{MARK}.example.com,Quux\n"
    await org.caller.run(import_customers, ImportFile(FileFormat.CSV, content))
    (customer,) = (await org.caller.look(customers, Page(1, 2), CustomerFilters())).items
    assert "public.imported_customers" in await places_of(world, MARK)
    await world.drain()
    await erase(org, customer)
    assert await places_of(world, MARK) == []


async def test_the_log_tells_that_and_why_somebody_was_erased(world: World) -> None:
    # The event comes after the deletion, says why, and shows nothing of before.
    org = await world.org()
    customer = await a_person(org)
    await erase(org, customer)
    *_, deleted, erased = await told(world, customer)
    assert (deleted["type"], erased["type"]) == ("customer.deleted", "customer.erased")
    assert erased["reason"] == "they asked for it"
    shown = json.loads(erased["snapshot"])
    assert (shown["name"], shown["email"]) == (ERASED_NAME, ERASED_EMAIL)
    assert shown["address"] == {"country": "CH"}
    assert set(json.loads(erased["previous"])) == {"deletedAt", "erasedAt"}


async def test_erasing_twice_tells_once(world: World) -> None:
    # The second time finds nothing to take out; one who was only deleted can be erased.
    org = await world.org()
    customer = await a_person(org)
    await org.caller.run(delete_customer, DeleteCustomer(customer.id))
    first, second = await erase(org, customer), await erase(org, customer)
    assert (first.erased_at, second.events) == (second.erased_at, 0)
    assert [each["type"] for each in await told(world, customer)].count("customer.erased") == 1


async def test_who_owes_is_not_erased(world: World) -> None:
    # An open invoice needs somebody to send it to.
    org = await world.org()
    customer = await a_person(org)
    await org.invoice(customer)
    with pytest.raises(StillInUse):
        await erase(org, customer)


async def test_taking_out_what_was_not_erased_is_found(world: World) -> None:
    # A superuser who takes out, or exchanges, what stands apart is named by the chain.
    org = await world.org()
    customer = await a_person(org)
    await world.seal()
    first, second, *_ = await told(world, customer)
    connection = await superuser(world)
    await connection.execute("SET session_replication_role = replica")
    query = "UPDATE events SET personal = NULL WHERE id = $1"
    await connection.execute(query, first["id"])
    await connection.execute("ALTER TABLE events DROP CONSTRAINT personal_has_its_digest")
    query = "UPDATE events SET personal = $2 WHERE id = $1"
    await connection.execute(query, second["id"], first["personal"])
    try:
        verdict = await org.caller.look(chain)
        assert verdict.name == CHAIN
        named = {f"edited evt_{each['id']}" for each in (first, second)}
        assert set(verdict.offenders) == named
    finally:
        await connection.execute(query, first["id"], first["personal"])
        await connection.execute(query, second["id"], second["personal"])
        await connection.execute(
            "ALTER TABLE events ADD CONSTRAINT personal_has_its_digest CHECK"
            " (personal IS NULL OR personal_digest IS NOT DISTINCT FROM sha256(personal))"
        )
        await connection.close()


async def test_what_stands_apart_can_only_go(world: World) -> None:
    # Not even the tables' owner can put other words there.
    org = await world.org()
    await a_person(org)
    connection = await world.house.as_owner()
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute("UPDATE events SET personal = 'x', personal_digest = 'x'")
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
        await connection.execute("UPDATE events SET personal = 'x' WHERE personal IS NOT NULL")
    await connection.close()
