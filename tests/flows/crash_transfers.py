"""Tells one story of a transfer: stored value moves while the process dies at any of its steps.

At every point that is passed somebody else looks, in a snapshot of their own: each amount is in one
place. Afterwards everything comes to rest, requests and tasks are repeated, and our own books say
what each wallet must hold.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import msgspec
from tests.flows.crash_asker import Asker
from tests.flows.crash_plan import Story, TransferSetting
from tests.flows.crash_stage import Stage
from tests.flows.crash_worker import Worker
from tests.support.instants import look

from bursar.domain.ids import uuid_of
from bursar.jobs import dispatch

STOCK: Final = 1_000
MOVED: Final = 700
SMALL: Final = 300
OK: Final = 200
ROUNDS_MAX: Final = 40
IDLE_MAX: Final = 2
TRANSACTIONS: Final = "/v1/transactions"
BETWEEN: Final = "transfer_money.post_together.after_commit"
CROWD: Final = (100, 9_000, 150, 50)
ENDS: Final[dict[str, set[tuple[str, str | None]]]] = {
    "none": {("COMPLETED", None)},
    "later": {("COMPLETED", None), ("FAILED", "wallet_closed")},
    "refuse": {("FAILED", "credit_refused")},
    "time_out": {("FAILED", "credit_timed_out")},
}
"""How a transfer of each kind may end, and for which reason."""

_WAITING: Final = """
SELECT array(
    SELECT t.id || t.credit_attempts::text FROM transfers AS t
    WHERE t.org_id = $1 AND t.status = 'DEBITED'
) AS flying, (SELECT count(*) FROM queue.pgqueuer) AS tasks
"""
_DUE: Final = (
    "UPDATE agenda SET due_at = now() - interval '1 second', leased_until = NULL"
    " WHERE org_id = $1 AND kind = 'resume_transfer'"
)
_EVIDENCE: Final = """
WITH mine AS (
    SELECT to_jsonb(t) AS row, t.id, 'txn_' || t.id AS name FROM transfers AS t
    WHERE t.org_id = $1 AND t.from_wallet_id = ANY($2)
)
SELECT jsonb_build_object(
    'transfers', (SELECT coalesce(jsonb_agg(m.row ORDER BY m.id), '[]') FROM mine AS m),
    'entries', (
        SELECT coalesce(jsonb_agg(
            jsonb_build_array(t.kind, t.source_id, a.code, e.amount_minor)
        ), '[]')
        FROM ledger_transactions AS t
        JOIN ledger_entries AS e ON e.org_id = t.org_id AND e.transaction_id = t.id
        JOIN ledger_accounts AS a ON a.org_id = e.org_id AND a.id = e.account_id
        WHERE t.org_id = $1 AND t.source_id IN (SELECT m.name FROM mine AS m)
    ),
    'events', (
        SELECT coalesce(jsonb_agg(jsonb_build_array(
            e.resource_id, e.sequence, e.snapshot ->> 'status'
        ) ORDER BY e.resource_id, e.sequence), '[]')
        FROM events AS e WHERE e.org_id = $1 AND e.resource_id IN (SELECT m.id FROM mine AS m)
    ),
    'agenda', (
        SELECT coalesce(jsonb_agg(g.subject_id), '[]') FROM agenda AS g
        WHERE g.org_id = $1 AND g.kind = 'resume_transfer'
    ),
    'withdrawn', (
        SELECT coalesce(sum(e.amount_minor), 0)::bigint FROM ledger_entries AS e
        JOIN ledger_transactions AS t ON t.org_id = e.org_id AND t.id = e.transaction_id
        JOIN wallets AS w ON w.org_id = e.org_id AND w.account_id = e.account_id
        WHERE e.org_id = $1 AND w.id = ANY($2) AND t.kind = 'wallet_withdrawn'
    ),
    'balances', (
        SELECT jsonb_object_agg(w.id, jsonb_build_array(a.balance_minor, w.status))
        FROM wallets AS w
        JOIN ledger_accounts AS a ON a.org_id = w.org_id AND a.id = w.account_id
        WHERE w.org_id = $1 AND w.id = ANY($2)
    )
)::text
"""


@dataclass
class TransferTelling:
    """One story while it is told."""

    stage: Stage
    story: Story
    chance: Random = field(init=False)
    worker: Worker = field(init=False)
    sender: str = ""
    receiver: str = ""
    askers: list[Asker] = field(default_factory=list)
    rival: Asker | None = None
    is_rival_due: bool = False
    wrong: list[str] = field(default_factory=list)
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.chance = Random(self.story.seed)
        self.worker = Worker(self.stage, self.chance)

    @property
    def setting(self) -> TransferSetting:
        assert isinstance(self.story.setting, TransferSetting)
        return self.story.setting

    async def tell(self) -> list[str]:
        """From two wallets to the auditor's word."""
        stage = self.stage
        await self._prepare()
        stage.fuse.arm(*self.story.faults)
        stage.fuse.interlude = self._at_point
        try:
            await stage.alive(self._begin)
            await stage.alive(self._act_of_rival)
            await self._come_to_rest()
            await self._repeat_everything()
        finally:
            stage.fuse.interlude = None
            stage.fuse.disarm()
        answers = [wrong for asker in self.askers for wrong in asker.wrong]
        return [*self.wrong, *self.worker.wrong, *answers, *await self._audit()]

    # --- before ---

    async def _prepare(self) -> None:
        self.sender, self.receiver = await self._wallet(), await self._wallet()
        await self._made(f"/v1/wallets/{self.sender}/deposit", {"amountCents": STOCK})
        body = self._body(self.sender, self.receiver)
        path = f"{TRANSACTIONS}/batch" if self.setting.way == "batch" else TRANSACTIONS
        self._asker("first", path, body)
        if self.setting.way == "crowd":
            for cents in CROWD:
                self._asker("crowd", path, self._order(self.sender, self.receiver, cents))
        back = self._order(self.receiver, self.sender, SMALL)
        rivals = {
            "second": (path, body),
            "close": (f"/v1/wallets/{self.receiver}/close", None),
            "opposite": (TRANSACTIONS, back),
            "spend": (f"/v1/wallets/{self.sender}/withdraw", {"amountCents": STOCK}),
        }
        if self.setting.rival != "none":
            self.rival = self._asker(self.setting.rival, *rivals[self.setting.rival])
            self.is_rival_due = True

    async def _begin(self) -> None:
        """The first request, or the whole crowd at once; a process dies for all of them."""
        firsts = [each for each in self.askers if each is not self.rival]
        crowd = [each.ask() for each in firsts]
        ends = await asyncio.gather(*crowd, return_exceptions=True)
        for end in ends:
            if end is not None:
                raise end

    def _asker(self, act: str, path: str, body: dict[str, Any] | None) -> Asker:
        patience = self.chance.choices(("at_once", "last", "gone"), (6, 2, 2))[0]
        asker = Asker(self.stage, act, path, body, patience)
        self.askers.append(asker)
        return asker

    def _body(self, sender: str, receiver: str) -> dict[str, Any]:
        if self.setting.way != "batch":
            return self._order(sender, receiver, MOVED)
        key = self.stage.new_key()
        first = {**self._order(sender, receiver, MOVED), "idempotencyKey": f"{key}-1"}
        second = {**self._order(sender, receiver, SMALL), "idempotencyKey": f"{key}-2"}
        return {"transactions": [first, self._order(sender, receiver, STOCK * 9), second, first]}

    def _order(self, sender: str, receiver: str, cents: int) -> dict[str, Any]:
        asked = {} if self.setting.outcome == "none" else {"provoke": self.setting.outcome}
        return {
            "fromWalletId": sender,
            "toWalletId": receiver,
            "amountCents": cents,
            "metadata": asked,
        }

    async def _wallet(self) -> str:
        made = await self._made("/v1/wallets", {"name": "Story"})
        return str(made["id"])

    async def _made(self, path: str, body: dict[str, Any]) -> Any:
        response = await self.stage.client.post(path, body)
        assert response.status in {200, 201}, response.body
        return response.value

    # --- what happens in between ---

    async def _at_point(self, point: str) -> None:
        """M6 at this very instant; and a rival may come between the two commits."""
        async with self.looking:
            found = await look(self.stage.reader, uuid_of(self.stage.org.id))
        self.wrong += [f"{point}: {each}" for each in found]
        if point == BETWEEN and self.chance.random() < 0.5:
            await self._act_of_rival()

    async def _act_of_rival(self) -> None:
        if self.rival is not None and self.is_rival_due:
            self.is_rival_due = False
            await self.rival.ask()

    # --- recovery ---

    async def _come_to_rest(self) -> None:
        idle, last = 0, None
        for _ in range(ROUNDS_MAX):
            if await self._is_round_busy():
                continue
            row = await self.stage.owner.fetchrow(_WAITING, uuid_of(self.stage.org.id))
            assert row is not None
            state = (row["flying"], self.stage.fuse.blown)
            idle, last = (idle + 1 if state == last else 0), state
            if not (row["flying"] or row["tasks"]) or idle == IDLE_MAX:
                return
            await self.stage.alive(self._let_time_pass)
        self.wrong.append("L1 the story does not come to rest")

    async def _is_round_busy(self) -> bool:
        acts = [self._retry, self.worker.work]
        self.chance.shuffle(acts)
        crashes, is_busy = self.stage.fuse.blown, False
        for act in acts:
            is_busy = bool(await self.stage.alive(act)) or is_busy
        return is_busy or crashes != self.stage.fuse.blown

    async def _retry(self) -> bool:
        waiting = [
            asker
            for asker in self.askers
            if asker.final is None
            and asker.patience == "at_once"
            and not (asker is self.rival and self.is_rival_due)
        ]
        for asker in waiting:
            await asker.ask()
        return bool(waiting)

    async def _let_time_pass(self) -> None:
        await self.stage.owner.execute(_DUE, uuid_of(self.stage.org.id))
        await self.stage.owner.execute(
            "UPDATE queue.pgqueuer SET execute_after = now() - interval '1 second'"
            " WHERE status = 'queued'"
        )
        await dispatch.drain_agenda(self.stage.world.app)

    async def _repeat_everything(self) -> None:
        self.is_rival_due = False
        for asker in self.askers:
            if asker.final is not None or asker.patience != "gone":
                await self.stage.alive(asker.ask)
        await self.worker.repeat()
        await self._come_to_rest()

    # --- the auditor ---

    async def _audit(self) -> list[str]:
        mine = [uuid_of(self.sender), uuid_of(self.receiver)]
        text = await self.stage.owner.fetchval(_EVIDENCE, uuid_of(self.stage.org.id), mine)
        evidence = msgspec.json.decode(text)
        rows = evidence["transfers"]
        expected = [entry for row in rows for entry in _expected_entries(row)]
        self._keep_books(expected, evidence["withdrawn"])
        return [
            *self._withdrawals(evidence["withdrawn"]),
            *_entries(evidence, expected),
            *self._ends(rows),
            *self._answers(rows),
            *_events(evidence),
            *self._balances(evidence),
        ]

    def _keep_books(self, expected: list[tuple[str, str, str, int]], withdrawn: int) -> None:
        books = self.stage.auditor.balances
        left = STOCK - withdrawn
        mine = [("external", left), (f"wallet:{self.sender}", -left)]
        for account, amount in [*mine, *((entry[2], entry[3]) for entry in expected)]:
            books[account] += amount

    def _withdrawals(self, withdrawn: int) -> Iterator[str]:
        """A1: whoever was told of a withdrawal has it, whoever was refused has not."""
        rival = self.rival if self.setting.rival == "spend" else None
        possible = {0}
        if rival is not None and rival.final is None:
            possible = {0, STOCK}
        elif rival is not None and rival.final is not None and rival.final.status == OK:
            possible = {STOCK}
        if withdrawn not in possible:
            yield f"A1 {withdrawn} was withdrawn"

    def _ends(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        """A3: every transfer ended, as its kind may end."""
        for row in rows:
            end = row["status"], row["failure"]
            if end not in ENDS[self.setting.outcome]:
                yield f"A3 {row['id']} ended {row['status']} for {row['failure']}"

    def _answers(self, rows: list[dict[str, Any]]) -> Iterator[str]:
        """A1 and A2: what was told is so, and every transfer was asked for, once."""
        status = {f"txn_{row['id']}": row["status"] for row in rows}
        told: Counter[str] = Counter()
        for asker in self.askers:
            for one, said in _told(asker):
                told[one] += 1
                if one not in status:
                    yield f"A1 {asker.key} was told of {one}, which is not there"
                elif said not in {"DEBITED", status[one]}:
                    yield f"A1 {one} was told to be {said}, it is {status[one]}"
        unheard = [asker for asker in self.askers if asker.final is None]
        unknown = status.keys() - told.keys()
        if unknown and not unheard:
            yield f"A2 nobody was told of {sorted(unknown)}"
        most = 2 if self.setting.way == "batch" else len(self.askers)
        most += self.setting.rival == "opposite" and self.setting.way == "batch"
        if len(rows) > most:
            yield f"A2 {len(rows)} transfers, {most} were asked for"

    def _balances(self, evidence: dict[str, Any]) -> Iterator[str]:
        """M2: the wallets hold what our own books say; a closed one holds nothing."""
        for wallet in (self.sender, self.receiver):
            held, status = evidence["balances"][str(uuid_of(wallet))]
            books = -self.stage.auditor.balances[f"wallet:{wallet}"]
            if held != books:
                yield f"M2 {wallet} holds {held}, the auditor says {books}"
            if held < 0 or (status == "closed" and held):
                yield f"M2 {wallet} is {status} with {held}"
        if evidence["agenda"]:
            yield f"J1 the agenda still waits for {evidence['agenda']}"


def _told(asker: Asker) -> Iterator[tuple[str, str]]:
    """The transfers that an answer tells of, and what it says of each; one a transfer."""
    if asker.final is None or asker.final.status not in {200, 201}:
        return
    value = asker.final.value
    if value["object"] == "transaction":
        yield value["id"], value["status"]
    elif value["object"] == "transaction_batch":
        named = {each["transaction"]["id"]: each["transaction"] for each in _taken(value)}
        yield from ((one, each["status"]) for one, each in named.items())


def _taken(batch: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in batch["results"] if each["transaction"] is not None]


def _expected_entries(row: dict[str, Any]) -> list[tuple[str, str, str, int]]:
    """Bookkeeping by hand."""
    name, amount = f"txn_{row['id']}", row["amount_minor"]
    sender, receiver = f"wallet:wal_{row['from_wallet_id']}", f"wallet:wal_{row['to_wallet_id']}"
    entries = [
        ("transfer_debited", name, sender, amount),
        ("transfer_debited", name, "transit", -amount),
    ]
    ends = {"COMPLETED": ("transfer_credited", receiver), "FAILED": ("transfer_refunded", sender)}
    if row["status"] in ends:
        kind, goal = ends[row["status"]]
        entries += [(kind, name, "transit", amount), (kind, name, goal, -amount)]
    return entries


def _entries(evidence: dict[str, Any], expected: list[tuple[str, str, str, int]]) -> Iterator[str]:
    entries = [tuple(each) for each in evidence["entries"]]
    if Counter(entries) != Counter(expected):
        yield f"M1 entries are {sorted(entries)}, expected {sorted(expected)}"


def _events(evidence: dict[str, Any]) -> Iterator[str]:
    """E1: every step was told once and in order."""
    ends = {"COMPLETED": ["CREDITED", "COMPLETED"], "FAILED": ["REFUNDING", "FAILED"]}
    for row in evidence["transfers"]:
        told = [each for each in evidence["events"] if each[0] == row["id"]]
        steps = ["INITIATED", "DEBITED", *ends.get(row["status"], [])]
        if [each[1:] for each in told] != [[n, step] for n, step in enumerate(steps, 1)]:
            yield f"E1 the story of {row['id']} is {told}"
