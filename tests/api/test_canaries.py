"""Secrets sent through every route and every job are found again nowhere.

Each canary is a text that occurs once in the world. Credentials may stand in the answer that gives
them, once; those of the installation nowhere at all; texts in the shape of a secret that somebody
types into an ordinary field may be kept as what they are, but are never logged or said back.
"""

import io
import json
import logging
import re
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from tests.api.apart.test_every_write import changed, texts_of
from tests.api.client import Client, Response
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things, things_of
from tests.support.database import Installation, beside
from tests.support.world import Org, World, open_world

from bursar.api.asgi import build_api
from bursar.domain.frozen import replace
from bursar.domain.tasks import Queue
from bursar.runtime import logging as logs
from bursar.runtime.crypto import random_letters
from bursar.runtime.limits import RateLimiter

MARK = "Kan4rienvog3l"  # in every secret that is made here, so that a text without it has none
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
LETTERS_AFTER = 25
AS_IT_IS = re.compile(f"{MARK}[{LETTERS}]{{{LETTERS_AFTER}}}")
IN_HEX = re.compile(f"{MARK.encode().hex()}[0-9a-f]{{{2 * LETTERS_AFTER}}}")
SECRET_FIELDS = {"password", "currentPassword", "token", "refreshToken"}
CARDS = ("4242424242424242", "5555555555554444", "378282246310005", "6011 1111 1111 1117")
COLUMNS = """
    SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname IN ('public', 'queue')
"""


def fresh(prefix: str = "") -> str:
    return prefix + MARK + random_letters(LETTERS, LETTERS_AFTER)


def shaped() -> list[str]:
    """Texts in the shape of every kind of secret."""
    starts = (
        "sk_live_",
        "sk_test_",
        "rk_live_",
        "whsec_",
        "bsk_",
        "bsr_",
        "eyJhbGciOiJIUzI1NiJ9.eyJ",
    )
    return [*(fresh(start) for start in starts), f"postgresql://app:{fresh()}@db/bursar", *CARDS]


@dataclass
class Watch:
    """Everything that was said, and to whom it was due."""

    memory: io.StringIO
    answers: list[tuple[str, Response]] = field(default_factory=list)
    given: set[str] = field(default_factory=set)  # credentials that an answer gave, once
    sent: set[str] = field(default_factory=set)  # credentials that were tried
    typed: set[str] = field(default_factory=set)  # the same shapes, in ordinary fields

    async def ask(
        self, client: Client, method: str, path: str, body: Any = None, **more: str
    ) -> Response:
        answer = await client.ask(method, path, body, headers=more)
        self.answers.append((f"{method} {path}", answer))
        return answer

    def gave(self, *secrets: str) -> None:
        self.given |= set(secrets)


@contextmanager
def listening() -> Iterator[io.StringIO]:
    """Every line of the log, at its most talkative."""
    root, hook, raising = logging.getLogger(), sys.excepthook, logging.raiseExceptions
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    memory = io.StringIO()
    logs.configure(level="debug", stream=memory)
    try:
        yield memory
    finally:
        structlog.configure(**config)
        logging.captureWarnings(capture=False)
        root.handlers[:], root.level = handlers, level
        sys.excepthook, logging.raiseExceptions = hook, raising


@pytest.fixture
async def alone(house: Installation) -> AsyncIterator[tuple[Installation, World, Client]]:
    """A world of its own, so that every row of it is this test's."""
    async with beside(house) as database, open_world(database) as world:
        settings = replace(world.app.settings, rate_limit_requests_max=1_000_000)
        app = replace(world.app, settings=settings, limiter=RateLimiter())
        yield database, world, Client(build_api(app))


async def test_no_secret_is_found_again(alone: tuple[Installation, World, Client]) -> None:
    # Forty and more secrets, through each route in every place, and nothing remembers one.
    house, world, anyone = alone
    with listening() as memory:
        watch = Watch(memory)
        owner, org = await signed_in(watch, world, anyone)
        things = await things_of(org)
        await given_out(watch, owner)
        for operation in OPERATIONS:
            await through(watch, owner, operation, things)
        await mailed(watch, world, anyone)
        await failed_jobs(watch, world, org)
        await world.drain()
        metrics = (await anyone.get("/metrics")).body.decode()
    installed = secrets_of(house)
    credentials = watch.given | watch.sent | installed
    print(f"{len(credentials)} secrets and {len(watch.typed)} typed, {len(watch.answers)} requests")
    assert len(credentials) >= 40
    secrets, anything = Sought(credentials), Sought(credentials | watch.typed)
    log = memory.getvalue()
    assert log.count("\n") > len(watch.answers)
    assert anything.within(log) == set()
    assert anything.within(metrics) == set()
    require_silent(watch, anything, Sought(watch.sent | installed))
    told = "".join(repr(each) for each in world.postman.sent)
    assert secrets.within(told) == set()
    async for table, rows in stored(house):
        assert secrets.within(rows) == set(), table


def require_silent(watch: Watch, anything: "Sought", sent: "Sought") -> None:
    """No answer says what it was sent, no refusal anything at all; what is given is told once."""
    told: Counter[str] = Counter()
    given = Sought(watch.given)
    for spot, answer in watch.answers:
        body = answer.body.decode(errors="replace")
        if answer.status >= 400:
            assert anything.within(body) == set(), (spot, body)
        assert sent.within(body) == set(), (spot, body)
        told.update(given.within(body))
    assert [secret for secret, times in told.items() if times > 1] == [], "once"


async def signed_in(watch: Watch, world: World, anyone: Client) -> tuple[Client, Org]:
    """Somebody who registered, signed in again and refreshed, over HTTP."""
    org = await world.org()
    password, email = f"Aa1-{fresh()}", "canary@example.com"
    watch.sent |= {password}
    body = {"email": email, "password": password, "name": "Ada", "organizationName": "Canary"}
    made = await watch.ask(anyone, "POST", "/v1/auth/register", body)
    wrong = f"Aa1-{fresh()}"
    watch.sent.add(wrong)
    door = "/v1/auth/login"
    await watch.ask(anyone, "POST", door, {"email": email, "password": wrong})
    login = await watch.ask(anyone, "POST", door, {"email": email, "password": password})
    assert login.status == 200, login.body
    renewed = await watch.ask(
        anyone, "POST", "/v1/auth/refresh", {"refreshToken": login.value["refreshToken"]}
    )
    for answer in (made, login, renewed):
        watch.gave(answer.value["accessToken"], answer.value["refreshToken"])
    return anyone.bearing(org.access_token, org.id), org


async def given_out(watch: Watch, owner: Client) -> None:
    """Keys and secrets that are shown once."""
    for number in range(4):
        body: dict[str, Any] = {"name": f"key {number}", "scopes": ["billing:write"]}
        answer = await watch.ask(owner, "POST", "/v1/api-keys", body)
        key = answer.value["key"]
        watch.gave(key)
        await watch.ask(owner, "GET", "/v1/customers", authorization=f"Bearer {key}", x_org_id="")
        url = f"https://example.com/{number}"
        body = {"url": url, "eventTypes": ["*"]}
        answer = await watch.ask(owner, "POST", "/v1/webhook-subscriptions", body)
        watch.gave(answer.value["secret"])


async def through(watch: Watch, owner: Client, operation: Operation, things: Things) -> None:
    """One operation, with a secret in every place where one might end by mistake."""
    path, body = operation.filled_path(things), things.fill(operation.body or {})
    method, has_body = operation.method, operation.method != "GET"
    shapes = shaped()
    watch.sent |= {shape for shape in shapes if shape not in CARDS}
    for shape in shapes:
        sent = {**body, "unheardOf": shape, shape: "x"} if has_body else None
        await watch.ask(owner, method, path, sent, authorization=f"Bearer {shape}")
        await watch.ask(owner, method, path, sent, x_org_id=shape, cookie=f"session={shape}")
        await watch.ask(owner, method, path, sent, user_agent=shape, referer=f"http://x/{shape}")
        await watch.ask(owner, method, f"{path}?token={quote(shape)}&{quote(shape)}=1", sent)
        if has_body:
            await watch.ask(owner, method, path, f'{{"password": "{shape}"'.encode())
        if "{" in operation.path:
            wrong = re.sub(r"\{\w+\}", quote(shape, safe=""), operation.path)
            await watch.ask(owner, method, wrong, sent, x_request_id=shape)
    if operation.body:
        await in_each_field(watch, owner, operation, path, body)


async def in_each_field(
    watch: Watch, owner: Client, operation: Operation, path: str, body: Any
) -> None:
    schema = operation.described["requestBody"]["content"]["application/json"]["schema"]
    shapes = cycle(shaped())
    for place in texts_of(schema):
        shape = next(shapes)
        if place[-1] in SECRET_FIELDS:
            shape = fresh("Aa1-")
            watch.sent.add(shape)
        else:
            watch.typed.add(shape)
        await watch.ask(owner, operation.method, path, changed(body, place, shape))


async def mailed(watch: Watch, world: World, anyone: Client) -> None:
    """What only a mail tells, tried at the doors it opens."""
    await world.drain()
    printed = [world.mailbox.print_letter(letter) for letter in world.mailbox.letters]
    tokens = {each for mail in printed for each in re.findall(r"token=([\w.-]{20,})", mail.text)}
    for operation in OPERATIONS:
        if operation.body and "token" in operation.body and operation.audience == "anyone":
            for token in sorted(tokens)[:5]:
                await watch.ask(
                    anyone, operation.method, operation.path, {**operation.body, "token": token}
                )
    watch.sent |= tokens


async def failed_jobs(watch: Watch, world: World, org: Org) -> None:
    """Jobs that fail with a secret in their last words."""
    await org.customer(None)
    for queue in Queue:
        async with world.app.database.machine() as connection:
            for job in await world.app.queue.claim(connection, queue, limit=10):
                shape = fresh("sk_live_")
                watch.sent.add(shape)
                error = RuntimeError(f"the provider says: Bearer {shape} is not good")
                await world.app.queue.hold(connection, job.claim, error)


def secrets_of(house: Installation) -> set[str]:
    """The installation's own."""
    settings = house.settings
    held = (
        settings.secret_key, settings.jwt_secret, settings.jwt_refresh_secret,
        settings.api_key_hash_salt, settings.webhook_signing_secret,
    )  # fmt: skip
    urls = (house.app_url, house.owner_url, house.superuser_url)
    passwords = {match[1] for url in urls if (match := re.search(r"://[^:/@]*:([^@/]+)@", url))}
    return {secret.reveal() for secret in held} | passwords


class Sought:
    """Secrets to look for, as they are or in hex, as PostgreSQL prints bytes.

    Of thousands only those are looked for whose canary stands in the text.
    """

    def __init__(self, secrets: set[str]) -> None:
        self._others = {each for each in secrets if MARK not in each}
        self._marked: dict[str, set[str]] = {}
        for each in secrets - self._others:
            self._marked.setdefault(
                each[each.index(MARK) :][: len(MARK) + LETTERS_AFTER], set()
            ).add(each)

    def within(self, text: str) -> set[str]:
        """Which of them stand in the text."""
        hexed = (bytes.fromhex(each).decode("latin-1") for each in IN_HEX.findall(text))
        canaries = {*AS_IT_IS.findall(text), *hexed}
        sought = self._others.union(*(self._marked.get(each, ()) for each in canaries))
        return {each for each in sought if each in text or each.encode().hex() in text}


async def stored(house: Installation) -> AsyncIterator[tuple[str, str]]:
    """Every row of every table, as text."""
    connection = await house.as_owner()
    try:
        for row in await connection.fetch(COLUMNS):
            query = f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM {row['name']} AS t"
            yield row["name"], await connection.fetchval(query)
    finally:
        await connection.close()


def test_the_watch_finds_what_is_there() -> None:
    # A canary in a line, also in hex, is found: a test that finds nothing must be able to.
    assert Sought({"hunter2"}).within("it is hunter2") == {"hunter2"}
    canary, other = fresh("sk_live_"), fresh("sk_live_")
    sought = Sought({canary, other})
    assert sought.within(json.dumps({"a": canary})) == {canary}
    assert sought.within(f"\\x{canary.encode().hex()}") == {canary}
    assert sought.within(f"{other}{canary}") == {canary, other}
    assert sought.within("sk_live_***") == set()
