"""A real Prometheus scrapes us, loads our rules, and rings for what is provoked, then is silent."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from tests.providers.scripted import a_charge, a_customer
from tests.support.agreements import a_meter, per_unit
from tests.support.billing import a_shop, at
from tests.support.prometheus import (
    RULES,
    Prometheus,
    expressions,
    metrics_of,
    prometheus,
)
from tests.support.sandbox import control
from tests.support.served import served
from tests.support.world import Org, World

from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceId, PaymentId, print_id
from bursar.domain.provider import CircuitOpen, Linked, MethodAttached, Unknown
from bursar.domain.refusals import AmountTooLarge
from bursar.domain.tasks import QUEUE_RULES, BillSubscription, ConfirmPayment, Queue
from bursar.jobs.handlers import run_task
from bursar.jobs.schedule import measure
from bursar.jobs.weighing import Scales
from bursar.operations.queues import DiscardLetters, discard_letters
from bursar.providers.guard import BreakerLimits, CircuitBreaker, GuardedProvider
from bursar.runtime.clock import monotonic
from bursar.runtime.ids import new_uuid
from bursar.runtime.pulse import SeenSessions, keep_pulse
from bursar.runtime.queue import Verdict

pytestmark = pytest.mark.system

ALERTS = {
    "PaymentDeadLetters",
    "PaymentFailureRate",
    "ApiLatency",
    "QueueProcessingStopped",
    "CircuitBreakerOpen",
    "ProviderAnswersHeld",
    "BillingHeld",
}


class Faults:
    """What goes wrong, and how it is mended."""

    def __init__(self, world: World, org: Org, address: str) -> None:
        self.world = world
        self.org = org
        self.address = address
        self.breaker = CircuitBreaker(
            BreakerLimits(5, 1, 2),
            monotonic,
            lambda state: world.app.telemetry.breaker(provider="sandbox", state=state.value),
        )
        self.provider = GuardedProvider(
            world.provider,
            self.breaker,
            on_call=lambda call, outcome, seconds: world.app.telemetry.provider_call(
                call=call, outcome=outcome, seconds=seconds
            ),
        )
        self.measuring: asyncio.Task[None] | None = None
        self.dead: list[int] = []

    def start_worker(self) -> None:
        """A worker that goes round, as far as Prometheus sees."""

        async def go_round() -> None:
            while True:
                await measure(self.world.app)
                await asyncio.sleep(0.5)

        self.measuring = asyncio.create_task(go_round())

    async def stop_worker(self) -> None:
        """It goes round no more."""
        if self.measuring is not None:
            self.measuring.cancel()
            await asyncio.gather(self.measuring, return_exceptions=True)

    async def leave_dead_letter(self) -> None:
        """A job of the payments queue uses up its attempts."""
        queue = self.world.app.queue
        async with self.world.app.database.machine() as connection:
            nobody = PaymentId(print_id("pay", new_uuid()))
            await queue.enqueue(connection, self.org.id, [ConfirmPayment(nobody)])
            for job in await queue.claim(connection, Queue.PAYMENTS, limit=50):
                if job.task == ConfirmPayment(nobody):
                    await queue.hold(connection, job.claim, RuntimeError("provoked"))
                    self.dead.append(job.claim.job_id)
                else:
                    await queue.hand_back(connection, job.claim)

    async def overflow(self) -> None:
        """A month of usage beyond every exact amount is to be billed, as often as it may be."""
        shop = await a_shop(self.world)
        meter = await a_meter(shop.org)
        plan = await shop.plan(0, per_unit(meter, str(10**14)))
        huge = await shop.subscribe(plan)
        await shop.bill_all()
        await shop.set_clock(at("2026-02-01"))
        await shop.use(huge.id, meter, ("a", at("2026-01-10"), 10**9))
        queue, task = self.world.app.queue, BillSubscription(huge.id)
        async with self.world.app.database.machine() as connection:
            await queue.enqueue(connection, shop.org.id, [task])
            for job in await queue.claim(connection, Queue.INVOICES, limit=50):
                if job.task != task:
                    await queue.hand_back(connection, job.claim)
                    continue
                last = replace(job, attempts=QUEUE_RULES[Queue.INVOICES].attempts_max - 1)
                with pytest.raises(AmountTooLarge) as told:
                    await run_task(self.world.app, last)
                assert await queue.fail(connection, last, told.value) is Verdict.HELD
                self.dead.append(job.claim.job_id)

    async def bury_dead_letters(self) -> None:
        """Somebody decides."""
        assert len(self.dead) == 2
        await replace(self.world.operator(self.org.id), reason="mended").run(
            discard_letters, DiscardLetters(tuple(self.dead))
        )

    async def prepare_payments(self) -> list[InvoiceId]:
        """A dozen invoices and some of somebody whose card will be declined."""
        customer = await self.org.customer("pm_card_chargeCustomerFail")
        return [(await self.org.invoice(customer)).id for _ in range(16)]

    async def decline_payments(self, invoices: list[InvoiceId]) -> None:
        """All at once are to be paid, and none is."""
        await asyncio.gather(*map(self.org.pay, invoices), return_exceptions=True)

    async def keep_slow(self) -> None:
        """Slow, again and again, until canceled."""
        while True:
            await self.slow_down()

    async def slow_down(self) -> None:
        """Somebody holds a table for two and a half seconds while eight people want to read it."""
        owner = await self.world.house.as_owner()
        try:
            await owner.execute("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")
            asking = [asyncio.create_task(self._ask()) for _ in range(8)]
            await asyncio.sleep(2.6)
            await owner.execute("ROLLBACK")
            await asyncio.gather(*asking)
        finally:
            owner.terminate()  # whatever happens, nobody holds the table any more

    async def _ask(self) -> None:
        headers = {"Authorization": f"Bearer {self.org.access_token}", "x-org-id": self.org.id}
        async with (
            aiohttp.ClientSession(headers=headers) as person,
            person.get(f"http://{self.address}/v1/customers") as answer,
        ):
            await answer.read()

    async def break_line(self) -> None:
        """The provider hangs up five times in a row; then nothing is sent."""
        self._fault("drop_before", "/v1/payment_intents/*", 5)
        for _ in range(5):
            assert isinstance(await self.provider.owner_of("pi_nobody"), Unknown)
        with pytest.raises(CircuitOpen):
            await self.provider.owner_of("pi_nobody")

    async def hold_answer(self) -> None:
        """A card is charged, and what comes is about another payment."""
        known = await self.provider.ensure_customer(a_customer())
        assert isinstance(known, Linked)
        kept = await self.provider.attach_method(known.reference, token="pm_card_visa")
        assert isinstance(kept, MethodAttached)
        charge = a_charge(customer_reference=known.reference, method_reference=kept.reference)
        self._fault("swap", "/v1/payment_intents", 1)
        held = await self.provider.charge(charge)
        assert (isinstance(held, Unknown), getattr(held, "is_outage", None)) == (True, False), held

    async def mend_line(self) -> None:
        """It is back: two calls that are answered."""
        for _ in range(2):
            assert isinstance(await self.provider.ensure_customer(a_customer()), Linked)

    def _fault(self, kind: str, path: str, times: int) -> None:
        control(self.world.sandbox, "POST", "faults", kind=kind, path=path, times=times)


@pytest.fixture(scope="module")
async def faults(world: World) -> AsyncIterator[Faults]:
    """Everything is well, and a worker goes round."""
    org = await world.org()
    async with served(world) as address:
        made = Faults(world, org, address)
        made.start_worker()
        beating = asyncio.create_task(keep_pulse(world.app.telemetry, SeenSessions()))
        yield made
        beating.cancel()
        await made.stop_worker()


@pytest.fixture(scope="module")
async def watching(
    faults: Faults, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Prometheus]:
    """A Prometheus that scrapes it."""
    async with prometheus(tmp_path_factory.mktemp("prometheus"), [faults.address]) as server:
        yield server


def test_the_rules_hold_what_promtool_plays(tmp_path: Path) -> None:
    # Each alert fires when it must and only then; the configuration is one that Prometheus takes.
    for name in ("alerts.yml", "alerts.test.yml", "prometheus.yml"):
        shutil.copy(RULES.with_name(name), tmp_path)
    for command in (
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "alerts.yml"),
        ("test", "rules", "alerts.test.yml"),
    ):
        ran = subprocess.run(
            ["promtool", *command],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr


async def test_every_metric_of_the_dashboards_is_scraped(
    watching: Prometheus, faults: Faults
) -> None:
    # Prometheus itself knows every name that a panel reads, and answers every question.
    await Scales(faults.world.app).weigh()
    known: set[str] = set()
    for _ in range(60):
        known = set(await watching.asked("/api/v1/metadata"))
        if "http_requests_total" in known and "build_info" in known:
            break
        await asyncio.sleep(0.3)
    for expression in expressions():
        bare = {_family(name) for name in metrics_of(expression)}
        assert bare <= known, (expression, bare - known)
        await watching.value(expression)
    assert await watching.value("max(build_info)") == 1


async def test_each_alert_rings_and_is_silent_again(watching: Prometheus, faults: Faults) -> None:
    # All of them are provoked for real, fire, are mended, and clear.
    invoices = await faults.prepare_payments()
    assert await watching.until(lambda firing: not firing, 20) == set()
    await faults.stop_worker()
    await faults.leave_dead_letter()
    await faults.overflow()
    await measure(faults.world.app)
    slow = asyncio.create_task(faults.keep_slow())
    await asyncio.sleep(5)  # of those six that a worker may be silent
    await faults.decline_payments(invoices)
    await faults.hold_answer()
    await faults.break_line()
    heard: set[str] = set()
    await watching.until(lambda firing: _joined(heard, firing) >= ALERTS, 40)
    assert heard == ALERTS
    slow.cancel()
    await asyncio.gather(slow, return_exceptions=True)
    faults.start_worker()
    await faults.bury_dead_letters()
    await faults.mend_line()
    assert await watching.until(lambda firing: not firing, 45) == set()


def _family(name: str) -> str:
    for ending in ("_bucket", "_sum", "_count"):
        if name.endswith(ending):
            return name.removesuffix(ending)
    return name


def _joined(heard: set[str], firing: set[str]) -> set[str]:
    heard |= firing
    return heard
