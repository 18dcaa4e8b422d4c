"""Events on their way to webhook endpoints: queued, misdelivered on request, signed when taken.

A mood is a rule that spoils deliveries (duplicate, late, out_of_order, lost); a pause holds them.
The event itself stays in the books and in `/v1/events` whatever becomes of its delivery.
"""

import hashlib
import hmac
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from bursar_sandbox.core import rules
from bursar_sandbox.core.books import Books
from bursar_sandbox.core.wire import Thing

if TYPE_CHECKING:
    from bursar_sandbox.core.ids import Ids

DELIVERY = "_delivery"
ENDPOINT = "webhook_endpoint"
MOOD = "_mood"
PAUSE = "_pause"
MOODS = ("duplicate", "late", "out_of_order", "lost")
RETRY_AFTER_MS = (1_000, 5_000, 30_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000)
DELIVERIES_MAX = 1_000
SHUFFLE_WINDOW_MS = 500


class Endpoint(Struct, frozen=True):
    """Where events go, and the secret they are signed with."""

    url: str
    secret: str
    enabled_events: tuple[str, ...] = ("*",)


class Delivery(Struct, frozen=True):
    """One signed attempt to tell one endpoint of one event."""

    delivery_id: str
    event_id: str
    event_type: str
    url: str
    headers: dict[str, str]
    body: bytes


def signature(secret: str, body: bytes, at: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over `t.body`, keyed with the whole secret."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={signed}"


def enqueue(books: Books, ids: "Ids", event: Thing, now_ms: int) -> int:
    """Queue one event for every endpoint that wants it; the number of endpoints."""
    wanting = [e for e in books.all(ENDPOINT) if _wants(e, event["type"])]
    for endpoint in wanting:
        fired = rules.fire(books, MOOD, lambda rule: _spoils(rule, event), ids)
        moods = {rule["kind"]: rule for rule in fired}
        if "lost" in moods:
            continue
        copies = 1 + (int(moods["duplicate"]["copies"]) if "duplicate" in moods else 0)
        due_ms = now_ms + (int(moods["late"]["delay_ms"]) if "late" in moods else 0)
        rank = 0.0
        if "out_of_order" in moods:
            rank = ids.draw()
            due_ms += int(rank * moods["out_of_order"]["delay_ms"])
        for _ in range(copies):
            key = ids.next("whd_")
            row = {"id": key, "event": event["id"], "endpoint": endpoint["id"], "attempt": 0}
            books.put(DELIVERY, key, {**row, "due_ms": due_ms, "rank": rank})
    return len(wanting)


def _wants(endpoint: Thing, name: str) -> bool:
    wanted = endpoint["enabled_events"]
    return endpoint["status"] == "enabled" and ("*" in wanted or name in wanted)


def _spoils(rule: Thing, event: Thing) -> bool:
    return rules.matches(rule["types"], event["type"])


def due(books: Books, now_ms: int) -> list[Delivery]:
    """What should be sent now, in order; it stays queued until `settle`."""
    if books.get(PAUSE, PAUSE) is not None:
        return []
    ready = [row for row in books.all(DELIVERY) if row["due_ms"] <= now_ms]
    ready.sort(key=lambda row: (row["due_ms"], row["rank"]))
    signed = [_signed(books, row, now_ms // 1000) for row in ready[:DELIVERIES_MAX]]
    return [delivery for delivery in signed if delivery is not None]


def _signed(books: Books, row: Thing, at: int) -> Delivery | None:
    event = books.get("event", row["event"])
    endpoint = books.get(ENDPOINT, row["endpoint"])
    if event is None or endpoint is None:
        return None
    body = msgspec.json.encode(event)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(endpoint["_secret"], body, at),
    }
    return Delivery(row["id"], event["id"], event["type"], endpoint["url"], headers, body)


def settle(books: Books, delivery_id: str, *, is_delivered: bool, now_ms: int) -> None:
    """Note how an attempt went: done, tried again later, or given up after the last retry."""
    row = books.get(DELIVERY, delivery_id)
    if row is None:
        return
    attempt = row["attempt"]
    if is_delivered or attempt >= len(RETRY_AFTER_MS):
        books.drop(DELIVERY, delivery_id)
        if is_delivered and books.get("event", row["event"]):
            event = books.edit("event", row["event"])
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
        return
    late = books.edit(DELIVERY, delivery_id)
    late["attempt"] = attempt + 1
    late["due_ms"] = now_ms + RETRY_AFTER_MS[attempt]
