"""Payment pages opened with an idempotency key, beside the same without one.

Each request opens the page of an invoice of its own at the sandbox processor, over real HTTP. With
a key the claim and the stored answer come on top; nothing else differs. Afterwards every page is
one pending payment, and `verify` reads the books.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

import aiohttp

from bench.load import Load, Measured, generate
from bench.place import Place, Server, bursar_server, free_port, open_place, serving
from bench.report import Result, Target, judged
from bench.sides import Effort, take_turns
from bench.stage import Stage, failed_checks, post, set_stage, uuid_in, write_history
from bursar.main import sandbox_account
from bursar.runtime.settings import load

NAME = "checkout"
TARGET = Target(must=0.7, goal=0.9)
BATCH = 150
_CLERKS = 8
_START_SECONDS = 30
_PAGES = """
SELECT count(*) FROM payments
WHERE org_id = $1 AND status = 'pending' AND session_reference IS NOT NULL
"""


@dataclass
class Till:
    """One way to open pages, each of an invoice that nobody asked about before."""

    server: Server
    stage: Stage
    effort: Effort
    has_keys: bool
    invoices: Iterator[str]
    good: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    measured: list[Measured] = field(default_factory=list)

    async def warm(self) -> None:
        """Open a batch of pages."""
        await self._opened()

    async def measure(self) -> float:
        """Pages a second."""
        seen = await self._opened()
        self.measured.append(seen)
        return seen.rate

    def shown(self) -> dict[str, object]:
        """Waits, measurement by measurement."""
        return {
            "answers": self.good,
            "faults": dict(self.faults),
            "p50_ms": [round(seen.p50_ms, 2) for seen in self.measured],
            "p99_ms": [round(seen.p99_ms, 2) for seen in self.measured],
        }

    async def _opened(self) -> Measured:
        paths = [f"/v1/invoices/{next(self.invoices)}/pay" for _ in range(BATCH)]
        wanted = Load(
            ports=self.server.ports,
            method="POST",
            paths=paths,
            headers=self.stage.headers,
            bodies=['{"mode":"checkout"}'],
            has_keys=self.has_keys,
            connections=self.effort.connections,
            seconds=60,
            requests_max=BATCH,
            expects=201,
        )
        seen = await generate(wanted)
        self.good += seen.good
        self.faults.update(seen.bad)
        return seen


async def bench(effort: Effort) -> Result:
    """Measure it."""
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(open_place())
        await write_history(place, effort.history)
        server = await stack.enter_async_context(_with_processor(place))
        stage = await set_stage(server.port)
        invoices = iter(await _open_invoices(stage, BATCH * (4 * effort.rounds + 2)))
        keyed = Till(server, stage, effort, has_keys=True, invoices=invoices)
        bare = Till(server, stage, effort, has_keys=False, invoices=invoices)
        rounds = await take_turns(keyed, bare, rounds=effort.rounds, before_each=place.checkpoint)
        broken = await _broken(place, stage, keyed, bare)
        result = judged(NAME, TARGET, rounds, unit="pages/s", broken=broken)
        result.settings.update(effort.shown(), batch=BATCH, postgres=await place.shown_settings())
        result.detail.update(ours=keyed.shown(), limit=bare.shown())
        return result


@asynccontextmanager
async def _with_processor(place: Place) -> AsyncIterator[Server]:
    """The API, and a sandbox processor of its own that keeps its books in memory."""
    port, processor_port = free_port(), free_port()
    command, told = bursar_server(place, port)
    environment = {**told, "SANDBOX_URL": f"http://127.0.0.1:{processor_port}"}
    arguments = place.folder / "sandbox.arguments"
    key = sandbox_account(load(environment)).api_key
    arguments.write_text(f"--port={processor_port}\n--secret-key={key}")
    processor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bursar_sandbox", f"@{arguments}"), stdout=asyncio.subprocess.PIPE
    )
    try:
        assert processor.stdout is not None
        await asyncio.wait_for(processor.stdout.readline(), _START_SECONDS)
        log = place.folder / "ours.log"
        async with serving(command, environment, port=port, log=log) as server:
            yield server
    finally:
        processor.terminate()
        await processor.wait()


async def _open_invoices(stage: Stage, count: int) -> list[str]:
    """Invoices that wait to be paid, made over the API by several at once."""
    made, numbers = list[str](), iter(range(count))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{stage.port}") as session:

        async def clerk() -> None:
            for number in numbers:
                draft = await post(session, "/v1/invoices", stage.draft(number), stage.headers)
                path = f"/v1/invoices/{draft['id']}/finalize"
                made.append((await post(session, path, {}, stage.headers))["id"])

        await asyncio.gather(*(clerk() for _ in range(_CLERKS)))
    return made


async def _broken(place: Place, stage: Stage, keyed: Till, bare: Till) -> list[str]:
    async with place.superuser() as connection:
        pages = await connection.fetchval(_PAGES, uuid_in(stage.org_id))
    wanted = keyed.good + bare.good
    found = [] if pages == wanted else [f"{pages} pages instead of {wanted}"]
    for till, name in ((keyed, "with a key"), (bare, "without")):
        if till.faults:
            found.append(f"{name} answered {dict(till.faults)}")
    return [*found, *await failed_checks(place, stage)]
