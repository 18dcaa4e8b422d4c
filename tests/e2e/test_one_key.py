"""Two hundred requests with one idempotency key, while the API is killed in the middle of them.

At random, and at named moments: the request waits for a lock inside its transaction, the processor
is slow to answer, the charge is about to be settled, or PostgreSQL has committed and may not say
so. Either effect and record are there, or neither is; the next request with the key ends it, and
whoever was answered was answered the same.
"""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import aiohttp
import asyncpg
import pytest
from tests.support.live import Answer, Visitor, visitor
from tests.support.tree import Part, Tree, running

from bursar.domain.ids import parse_id
from bursar.runtime.embedded import EmbeddedPostgres, Urls
from bursar.runtime.installation import sandbox_api_key
from bursar.runtime.settings import load

MANY: Final = 200
RANDOM_ROUNDS: Final = 12
MOMENT_SECONDS: Final = 10
LATEST_KILL: Final = 1.5
# Not of pg_stat_activity, which shows the same all through a transaction.
SOMEBODY_WAITS: Final = "SELECT count(*) > 0 FROM pg_locks WHERE NOT granted"
A_COMMIT_WAITS: Final = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
# Who commits still holds its locks: it is the invoice's commit, not a claim's or the worker's.
ITS_COMMIT_WAITS: Final = """
SELECT count(*) > 0 FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE wait_event = 'SyncRep' AND relation = 'invoices'::regclass AND mode = 'RowExclusiveLock'
"""
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass
class Scene:
    """A running installation, somebody who asks it, and a look behind its curtain."""

    tree: Tree
    who: Visitor
    superuser: Connection
    locker: Connection
    sandbox_url: str
    sandbox_key: str
    rounds: int = 0
    told: Counter[int | None] = field(default_factory=Counter)

    async def customer(self) -> str:
        body = {"email": f"one{self.rounds}@example.com", "name": "One"}
        made = await self.who.make("/v1/customers", body, f"customer-{self.rounds}")
        token = {"customerId": made["id"], "providerToken": "pm_card_visa"}
        await self.who.make("/v1/payment-methods", token, f"method-{self.rounds}")
        return str(made["id"])

    def kill_api(self) -> None:
        """SIGKILL to whatever serves."""
        assert [pid for pid in self.tree.pids(Part.API) if self.tree.kill(Part.API, pid)]

    async def count(self, query: str, *arguments: object) -> int:
        return int(await self.superuser.fetchval(query, *arguments))

    async def has_record(self, key: str) -> bool:
        query = "SELECT count(answer) FROM idempotency_keys WHERE key = $1"
        return await self.count(query, key) == 1

    async def until(self, query: str, *arguments: object) -> None:
        """The query says that it is so."""
        async with asyncio.timeout(MOMENT_SECONDS):
            while not await self.superuser.fetchval(query, *arguments):  # noqa: ASYNC110 - others act
                await asyncio.sleep(0.01)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with running() as tree:
        postgres = EmbeddedPostgres(tree.postgres_dir)
        urls: Urls = await postgres.ensure_running()
        superuser, locker = [
            await asyncpg.connect(urls.superuser.reveal(), database="bursar") for _ in range(2)
        ]
        await superuser.execute("SET synchronous_commit = off")
        port, key = tree.environment["SANDBOX_PORT"], sandbox_api_key(load(tree.environment))
        try:
            async with visitor(tree, "one-key@example.com") as who:
                yield Scene(tree, who, superuser, locker, f"http://127.0.0.1:{port}", key)
        finally:
            await superuser.close()
            await locker.close()
            await postgres.release()


Go = Callable[[], None]
Moment = Callable[[Scene, Go], Awaitable[None]]
"""Lets the requests go, and kills the API when it comes to that moment."""


@asynccontextmanager
async def locked(scene: Scene, table: str) -> AsyncIterator[None]:
    """Whoever writes the table waits until this is over."""
    async with scene.locker.transaction():
        await scene.locker.execute(f"LOCK TABLE {table} IN SHARE MODE")
        yield


async def while_it_writes(scene: Scene, go: Go) -> None:
    """The key is claimed, and its transaction waits before its first row."""
    async with locked(scene, "invoices"):
        go()
        await scene.until(SOMEBODY_WAITS)
        scene.kill_api()


async def while_it_tells(scene: Scene, go: Go) -> None:
    """Everything is written but the events."""
    async with locked(scene, "events"):
        go()
        await scene.until(SOMEBODY_WAITS)
        scene.kill_api()


async def between_commit_and_answer(scene: Scene, go: Go) -> None:
    """PostgreSQL has committed, and waits for a standby that never comes before it says so."""
    superuser = scene.superuser
    try:
        async with locked(scene, "invoices"):
            go()
            await scene.until(SOMEBODY_WAITS)
            await superuser.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
            await superuser.execute("SELECT pg_reload_conf()")
            await scene.until(A_COMMIT_WAITS)  # the worker's, who always has something to say
        await scene.until(ITS_COMMIT_WAITS)
        scene.kill_api()
    finally:
        await superuser.execute("ALTER SYSTEM RESET synchronous_standby_names")
        await superuser.execute("SELECT pg_reload_conf()")


async def while_the_processor_thinks(scene: Scene, go: Go) -> None:
    """The attempt is begun, the charge is made, and the answer is on its way."""
    go()
    await scene.until("SELECT count(*) > 0 FROM payments WHERE status = 'pending'")
    await asyncio.sleep(0.3)
    scene.kill_api()


async def while_it_settles(scene: Scene, go: Go) -> None:
    """The processor has answered, and the settling transaction waits before it books."""
    async with locked(scene, "ledger_transactions"):
        go()
        await scene.until(SOMEBODY_WAITS)
        scene.kill_api()


def at_random(chance: random.Random) -> Moment:
    async def moment(scene: Scene, go: Go) -> None:
        go()
        await asyncio.sleep(chance.uniform(0, LATEST_KILL))
        scene.kill_api()

    return moment


async def flood(scene: Scene, path: str, body: object, key: str, moment: Moment) -> list[Answer]:
    """All of them at once, and a kill among them; the answers that came."""
    asked: list[asyncio.Task[Answer | None]] = []

    def go() -> None:
        asked.extend(
            asyncio.create_task(scene.who.ask("POST", path, body, key)) for _ in range(MANY)
        )

    try:
        await moment(scene, go)
    finally:
        answers = await asyncio.gather(*asked)
    scene.told.update(None if answer is None else answer.status for answer in answers)
    return [answer for answer in answers if answer is not None]


async def ended(
    scene: Scene, path: str, body: dict[str, Any], key: str, came: list[Answer]
) -> Answer:
    """The request that ends it, which must be what everybody else was told; another body's 422."""
    await scene.tree.until_healthy()
    last = await scene.who.until_answered(path, body, key)
    assert last.status < 300, last.body
    known = {answer.body for answer in came if answer.status < 300}
    assert known <= {last.body}
    rest = {answer.status for answer in came if answer.status >= 300}
    assert rest <= {409, 503}, rest
    again = await scene.who.until_answered(path, body, key)
    assert (again.status, again.body) == (last.status, last.body)
    other = await scene.who.until_answered(path, {**body, "metadata": {"other": "body"}}, key)
    assert other.status == 422, other.body
    return last


async def draft_round(scene: Scene, moment: Moment) -> str:
    """One draft is asked for by everybody; what was there right after the kill."""
    scene.rounds += 1
    customer, key = await scene.customer(), f"draft-{scene.rounds}"
    lines = [{"description": "Work", "unitAmountCents": 900}]
    body = {"customerId": customer, "lines": lines, "memo": key}
    came = await flood(scene, "/v1/invoices", body, key, moment)
    drafts = "SELECT count(*) FROM invoices WHERE memo = $1"
    await until_backends_are_gone(scene)
    effects, has_record = await scene.count(drafts, key), await scene.has_record(key)
    assert effects == int(has_record), "effect and record, or neither"
    if any(answer.status < 300 for answer in came):
        assert has_record, "somebody was told so"
    await ended(scene, "/v1/invoices", body, key, came)
    assert await scene.count(drafts, key) == 1
    return "both" if has_record else "neither"


async def pay_round(scene: Scene, moment: Moment) -> str:
    """One invoice is paid by everybody; what was there right after the kill."""
    scene.rounds += 1
    customer, key = await scene.customer(), f"pay-{scene.rounds}"
    lines = [{"description": "Work", "unitAmountCents": 900}]
    draft = {"customerId": customer, "lines": lines}
    invoice = (await scene.who.make("/v1/invoices", draft, f"{key}-draft"))["id"]
    await scene.who.make(f"/v1/invoices/{invoice}/finalize", None, f"{key}-finalize")
    await slow_down(scene)
    path, body = f"/v1/invoices/{invoice}/pay", {"mode": "charge"}
    came = await flood(scene, path, body, key, moment)
    await until_backends_are_gone(scene)
    has_record = await scene.has_record(key)
    last = await ended_pay(scene, path, key, came)
    assert last.value["payment"]["status"] == "succeeded"
    attempts = "SELECT count(*) FROM payments WHERE invoice_id = $1"
    assert await scene.count(attempts, parse_id("inv", text=invoice)) == 1
    assert await charges(scene, invoice) == 1
    return "both" if has_record else "neither"


async def ended_pay(scene: Scene, path: str, key: str, came: list[Answer]) -> Answer:
    """As `ended`: a payment that was said to be pending may be told of as such for ever."""
    await scene.tree.until_healthy()
    last = await scene.who.until_answered(path, {"mode": "charge"}, key)
    assert last.status == 200, last.body
    assert {answer.body for answer in came if answer.status < 300} <= {last.body}
    other = await scene.who.until_answered(path, {"mode": "checkout"}, key)
    assert other.status == 422, other.body
    return last


async def until_backends_are_gone(scene: Scene) -> None:
    """Whoever the dead process left behind at PostgreSQL has noticed."""
    query = (
        "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'bursar-api'"
        " AND state <> 'idle' AND query_start < $1"
    )
    await scene.until(query, await scene.superuser.fetchval("SELECT clock_timestamp()"))


async def slow_down(scene: Scene) -> None:
    """The next charge is answered only after a while."""
    fault = {"kind": "delay", "value": "1200", "path": "/v1/payment_intents", "times": "1"}
    await control(scene, "POST", "faults", fault)


async def control(scene: Scene, method: str, path: str, form: dict[str, str] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {scene.sandbox_key}"}
    url = f"{scene.sandbox_url}/_sandbox/{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, data=form, headers=headers) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def charges(scene: Scene, invoice: str) -> int:
    """How often the processor took money for an invoice."""
    headers = {"Authorization": f"Bearer {scene.sandbox_key}"}
    url = f"{scene.sandbox_url}/v1/charges?limit=100"
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers) as answer,
    ):
        found = (await answer.json())["data"]
    return sum(
        each["metadata"].get("invoice_id") == invoice and each["status"] == "succeeded"
        for each in found
    )


NAMED: Final = (
    (draft_round, while_it_writes),
    (draft_round, while_it_tells),
    (draft_round, between_commit_and_answer),
    (pay_round, while_the_processor_thinks),
    (pay_round, while_it_settles),
)


@pytest.mark.proof
async def test_one_key_through_kills(scene: Scene) -> None:
    # Twenty kills and more, at random and at each named moment: one effect, one answer.
    seed, began = random.SystemRandom().randrange(10**6), time.monotonic()
    chance = random.Random(seed)
    left: Counter[str] = Counter()
    for act, moment in (*NAMED, *NAMED):
        left[f"{moment.__name__}: {await act(scene, moment)}"] += 1
    for number in range(RANDOM_ROUNDS):
        act = (draft_round, pay_round)[number % 2]
        left[f"at random: {await act(scene, at_random(chance))}"] += 1
    seconds = time.monotonic() - began
    print(f"\none key: seed {seed}, {scene.rounds} kills among {MANY} requests, {seconds:.0f} s")
    print("  left by the kill   " + ", ".join(f"{n} × {what}" for what, n in sorted(left.items())))
    print("  answers            " + ", ".join(f"{n} × {what}" for what, n in scene.told.items()))
    verify = await scene.tree.command("verify", "--format", "json")
    out, _ = await verify.communicate()
    assert verify.returncode == 0, out.decode()[-3_000:]
    assert scene.rounds >= 20
    assert left["between_commit_and_answer: both"] == 2
    assert left["while_it_writes: neither"] == left["while_it_tells: neither"] == 2
