"""Tells one story: pays an invoice while the process dies, then lets everything come to rest.

After a crash the caller may send the same request again, at once, late or never; the processor
repeats its events; tasks are claimed again, in any order, and run once more after they were done;
time passes, so watchdogs ask. Then the auditor looks.
"""

from dataclasses import dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec
from tests.flows.crash_asker import SERVICE_UNAVAILABLE, Asker
from tests.flows.crash_plan import GOOD_CARD, NOBODY_LISTENS, OTHER_MODE, Play, Setting, Story
from tests.flows.crash_stage import Stage
from tests.flows.crash_worker import Worker
from tests.support.auditor import Facts
from tests.support.crash import Failed
from tests.support.sandbox import browse
from tests.support.world import WEBHOOK_SECRET

from bursar.api.hosted_links import own_hosted_url
from bursar.domain.ids import uuid_of
from bursar.domain.sending import WebhookAnswer, WebhookRequest
from bursar.jobs import dispatch
from bursar.runtime.anchors import Anchors
from bursar_sandbox.core.outbox import Delivery, signature
from bursar_sandbox.core.wire import Request

CENTS: Final = 4_999
ROUNDS_MAX: Final = 60
IDLE_MAX: Final = 2
SLOW_SECONDS: Final = 70
HEARD_TYPES: Final = frozenset(
    f"payment_intent.{name}"
    for name in ("succeeded", "payment_failed", "processing", "requires_action", "canceled")
) | frozenset(
    f"checkout.session.{name}"
    for name in ("completed", "expired", "async_payment_succeeded", "async_payment_failed")
)
EFFECTS: Final = ("/v1/payment_intents", "/v1/checkout/sessions")
SETTLED_OPEN: Final = "pay_invoice.settle_payment#2.before_commit"


@dataclass
class Telling:
    """One story while it is told."""

    stage: Stage
    story: Story
    chance: Random = field(init=False)
    invoice_id: str = ""
    askers: list[Asker] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    mail: list[tuple[str, str, bytes]] = field(default_factory=list)
    acknowledged: set[str] = field(default_factory=set)
    worker: Worker = field(init=False)
    pages: dict[str, list[str]] = field(default_factory=dict)
    is_spoiled: bool = False
    is_interrupted: bool = False
    rival: Asker | None = None
    rival_moment: str = "later"
    subscription: str | None = None
    is_failing: bool = False

    def __post_init__(self) -> None:
        self.chance = Random(self.story.seed)
        self.worker = Worker(self.stage, self.chance)

    @property
    def setting(self) -> Setting:
        assert isinstance(self.story.setting, Setting)
        return self.story.setting

    @property
    def play(self) -> Play:
        return self.setting.play

    async def tell(self) -> list[str]:
        """From the open invoice to the auditor's word."""
        stage, setting = self.stage, self.setting
        await self._prepare()
        stage.fuse.arm(*self.story.faults)
        stage.fuse.interlude = self._at_point
        stage.wire.spoil, stage.wire.after = self._spoil, self._after_effect
        try:
            await stage.alive(self.askers[0].ask)
            if self.rival is not None and self.rival_moment == "later":
                await stage.alive(self._act_of_rival)
            await self._come_to_rest()
            await self._repeat_everything()
        finally:
            stage.fuse.interlude = stage.wire.spoil = stage.wire.after = None
            stage.fuse.disarm()
        if setting.listener != NOBODY_LISTENS:
            await self._stop_listening()
        facts = Facts(
            invoice_id=uuid_of(self.invoice_id),
            customer=stage.customers[self.play.method].id,
            total=CENTS,
            told=tuple(asker.told for asker in self.askers),
            acknowledged=frozenset(self.acknowledged),
        )
        answers = [wrong for asker in self.askers for wrong in asker.wrong]
        return [*self.wrong, *self.worker.wrong, *answers, *await stage.auditor.audit(facts)]

    async def _prepare(self) -> None:
        stage, setting = self.stage, self.setting
        stage.postman.sent.clear()
        if setting.listener != NOBODY_LISTENS:
            await self._listen()
        invoice = await stage.org.invoice(stage.customers[self.play.method], CENTS)
        self.invoice_id = invoice.id
        pay = f"/v1/invoices/{invoice.id}/pay"
        first: tuple[str, str, dict[str, str] | None] = ("pay", pay, {"mode": setting.mode})
        if setting.mode == "link":
            url = own_hosted_url(stage.org.caller, invoice)
            assert url is not None
            first = ("link", f"{urlsplit(url).path}/pay", None)
        self._asker(*first)
        rivals = {
            "second": first,
            "switch": ("pay", pay, {"mode": OTHER_MODE[setting.mode]}),
            "void": ("void", f"/v1/invoices/{invoice.id}/void", None),
        }
        if setting.rival != "none":
            self.rival = self._asker(*rivals[setting.rival])
            self.rival_moment = self.chance.choice(("wire", "later"))

    def _asker(self, act: str, path: str, body: dict[str, str] | None) -> Asker:
        patience = self.chance.choices(("at_once", "last", "gone"), (6, 2, 2))[0]
        asker = Asker(self.stage, act, path, body, patience)
        self.askers.append(asker)
        return asker

    # --- what happens in between ---

    async def _act_of_rival(self) -> None:
        assert self.rival is not None
        self.rival_moment = "done"
        await self.rival.ask()

    def _spoil(self, method: str, url: str, post_data: Any) -> tuple[dict[str, str], Any]:
        """What the line does to the first request with an effect; a charge that asks back."""
        if method.upper() != "POST" or not url.endswith(EFFECTS):
            return {}, post_data
        if self.play.is_challenged and isinstance(post_data, str):
            post_data = post_data.replace("off_session=true", "off_session=false")
        if self.is_spoiled or self.play.line is None:
            return {}, post_data
        self.is_spoiled = True
        return {"Sandbox-Fault": self.play.line}, post_data

    async def _after_effect(self, method: str, url: str) -> None:
        """The processor has acted, and its answer is not home yet."""
        if self.is_interrupted or method.upper() != "POST" or not url.endswith(EFFECTS):
            return
        self.is_interrupted = True
        if self.rival is not None and self.rival_moment == "wire":
            await self._act_of_rival()
        if self.setting.webhooks == "before":
            await self._carry_mail()
            await self.worker.work()

    async def _at_point(self, point: str) -> None:
        if point == SETTLED_OPEN and self.setting.webhooks == "early":
            await self._carry_mail()

    # --- recovery ---

    async def _come_to_rest(self) -> None:
        """Until nothing is left to do; when nothing happens by itself, time passes."""
        idle, last = 0, None
        for _ in range(ROUNDS_MAX):
            if await self._is_round_busy():
                continue
            waiting, tasks = await self._waiting()
            state = (waiting, self.stage.fuse.blown)
            idle, last = (idle + 1 if state == last else 0), state
            if not tasks and (not waiting or idle >= IDLE_MAX):
                return  # a task that failed in the last idle round is still to come back
            await self.stage.alive(self._let_time_pass)
        self.wrong.append("L1 the story does not come to rest")

    async def _is_round_busy(self) -> bool:
        acts = [self._retry, self._visit_pages, self._carry_mail, self.worker.work, self._listen_on]
        self.chance.shuffle(acts)
        crashes, is_busy = self.stage.fuse.blown, False
        for act in acts:
            is_busy = bool(await self.stage.alive(act)) or is_busy
        return is_busy or crashes != self.stage.fuse.blown

    async def _repeat_everything(self) -> None:
        """Whoever is late asks now; everybody asks again; tasks come once more."""
        for asker in self.askers:
            if asker.final is not None or asker.patience == "last" or self._has_not_acted(asker):
                await self.stage.alive(asker.ask)
        self.rival_moment = "done"
        await self.worker.repeat()
        await self._come_to_rest()

    def _has_not_acted(self, asker: Asker) -> bool:
        return asker is self.rival and self.rival_moment != "done"

    async def _retry(self) -> bool:
        """Whoever was not answered asks again."""
        waiting = [
            asker
            for asker in self.askers
            if asker.final is None
            and asker.patience == "at_once"
            and not self._has_not_acted(asker)
        ]
        for asker in waiting:
            await asker.ask()
        return bool(waiting)

    async def _visit_pages(self) -> bool:
        """Each customer who was sent somewhere takes the next step there."""
        is_busy = False
        for asker in self.askers:
            url = asker.page
            if url is None:
                continue
            if url not in self.pages:
                steps = self.play.page if asker is self.askers[0] else (GOOD_CARD,)
                self.pages[url] = [step for step in steps if step != "expire"]
            if self.pages[url]:
                is_busy = True
                self._take_step(url, self.pages[url].pop(0))
        return is_busy

    def _take_step(self, url: str, step: str) -> None:
        sandbox = self.stage.world.sandbox
        if step not in {"complete", "fail"}:
            self.stage.world.type_card(url, step)
            return
        for intent in sandbox.books.all("payment_intent"):
            marks = intent["metadata"]
            if marks.get("invoice_id") == self.invoice_id and intent["next_action"] is not None:
                page = intent["next_action"]["redirect_to_url"]["url"]
                browse(sandbox, "POST", page, outcome=step)

    async def _carry_mail(self) -> bool:
        """The processor reports what happened; what is not acknowledged comes again."""
        webhooks = self.setting.webhooks
        copies = 2 if webhooks == "twice" else 1
        for delivery in self.stage.world.sandbox.take_deliveries():
            if webhooks != "none":
                self.mail += [_letter(delivery)] * copies
        self.chance.shuffle(self.mail)
        is_busy = bool(self.mail)
        while self.mail:
            await self._deliver(*self.mail[-1])
            self.mail.pop()
        return is_busy

    async def _deliver(self, event_id: str, name: str, body: bytes) -> None:
        now = int(self.stage.world.sandbox.now_ms // 1000) - self.stage.skew[0] // 1000
        signed = signature(WEBHOOK_SECRET, body, now)
        response = await self.stage.http.post(
            "/webhooks/sandbox", body, stripe_signature=signed, content_type="application/json"
        )
        if response.status == SERVICE_UNAVAILABLE and self.stage.fuse.failed:
            raise Failed("the event comes again")
        if response.status != 200:
            self.wrong.append(f"X1 an event was answered {response.status}")
        elif name in HEARD_TYPES:
            self.acknowledged.add(event_id)

    async def _let_time_pass(self) -> None:
        """Slow payments settle, pages nobody is on expire, watchdogs wake."""
        stage, sandbox = self.stage, self.stage.world.sandbox
        stage.let_processor_age(SLOW_SECONDS)
        key = {"Authorization": f"Bearer {sandbox.settings.secret_key}"}
        for session in sandbox.books.all("checkout.session"):
            if session["status"] == "open" and not self.pages.get(session["url"]):
                expire = f"/v1/checkout/sessions/{session['id']}/expire"
                sandbox.handle(Request("POST", expire, key))
        await stage.make_due(uuid_of(self.invoice_id))
        await dispatch.drain_agenda(stage.world.app)

    async def _waiting(self) -> tuple[list[str], int]:
        """What only time can move: open attempts and deliveries; and how many tasks there are."""
        row = await self.stage.owner.fetchrow(
            _WAITING, uuid_of(self.stage.org.id), uuid_of(self.invoice_id)
        )
        assert row is not None
        return row["waiting"], row["tasks"]

    # --- the organization's own endpoint ---

    async def _listen(self) -> None:
        while await dispatch.relay_events(self.stage.world.app):
            pass  # what was told before is not for this endpoint
        body = {"url": "http://127.0.0.1:9999/hook", "eventTypes": ["*"]}
        made = await self.stage.client.post("/v1/webhook-subscriptions", body)
        assert made.status == 201, made.body
        self.subscription = made.value["id"]
        is_flaky = self.setting.listener == "flaky"
        seen: set[str] = set()

        def answer(request: WebhookRequest) -> WebhookAnswer:
            event_id = request.headers["webhook-id"]
            is_first = event_id not in seen
            seen.add(event_id)
            return WebhookAnswer(500 if is_flaky and is_first else 200, "", 1)

        self.stage.postman.mood = answer

    async def _listen_on(self) -> bool:
        """The log's readers: the relay, the deliveries, the seal."""
        if self.subscription is None:
            return False
        app, settings = self.stage.world.app, self.stage.world.house.settings
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        anchors = Anchors(settings.data_dir / "anchors.jsonl", app.keys)
        is_busy = await dispatch.relay_events(app)
        is_busy = await dispatch.deliver_due(app) or is_busy
        return await dispatch.seal_logs(app, anchors) or is_busy

    async def _stop_listening(self) -> None:
        """E2: every event was delivered, each time as the same bytes, in order per resource."""
        stage = self.stage
        stage.postman.mood = None
        rows = await stage.owner.fetch(_DELIVERIES, uuid_of(stage.org.id))
        sent: dict[str, set[bytes]] = {}
        for request in stage.postman.sent:
            sent.setdefault(request.headers["webhook-id"], set()).add(request.body)
        if not rows:
            self.wrong.append("E2 nothing was delivered")
        for row in rows:
            bodies = sent.get(f"evt_{row['event_id']}", set())
            if row["status"] != "delivered" or len(bodies) != 1:
                self.wrong.append(
                    f"E2 {row['event_type']} is {row['status']}, {len(bodies)} bodies"
                )
        self.wrong += _disorder(stage.postman.sent)
        await stage.owner.execute("DELETE FROM webhook_attempts")
        await stage.owner.execute("DELETE FROM webhook_deliveries")
        await stage.client.delete(f"/v1/webhook-subscriptions/{self.subscription}")


_WAITING: Final = """
SELECT
    array(
        SELECT id || status FROM payments WHERE org_id = $1 AND invoice_id = $2
            AND status IN ('pending', 'processing', 'requires_action')
        UNION ALL
        SELECT id || attempt_count::text FROM webhook_deliveries
        WHERE org_id = $1 AND status = 'pending'
    ) AS waiting,
    (SELECT count(*) FROM queue.pgqueuer) AS tasks
"""
_DELIVERIES: Final = (
    "SELECT event_id, event_type, status FROM webhook_deliveries WHERE org_id = $1 ORDER BY id"
)


def _disorder(sent: list[WebhookRequest]) -> list[str]:
    """Where an event was first sent after a later one of the same resource."""
    seen: dict[str, list[int]] = {}
    for request in sent:
        event = msgspec.json.decode(request.body)
        told = seen.setdefault(event["data"]["id"], [])
        if event["sequence"] not in told:
            told.append(event["sequence"])
    return [
        f"E2 {resource} was told in the order {told}"
        for resource, told in seen.items()
        if told != sorted(told)
    ]


def _letter(delivery: Delivery) -> tuple[str, str, bytes]:
    marks = msgspec.json.decode(delivery.body)["data"]["object"].get("metadata") or {}
    name = delivery.event_type if "payment_id" in marks else "other"
    return delivery.event_id, name, delivery.body
