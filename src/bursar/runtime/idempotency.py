"""Idempotency keys: the record commits with the effect, so neither can be without the other.

A key is claimed by the first transaction of a request and answered by the last. The claim names the
process (its boot id, whose session advisory lock says whether it lives), so a request whose owner
died is resumed at once. Stored answers are encrypted.
"""

from typing import Final
from uuid import UUID

import msgspec
from msgspec import Struct

from bursar.runtime.crypto import KeyRing

LABEL: Final = "idempotency"


class Idempotency(Struct, frozen=True):
    """One request's use of a key. `fingerprint` hashes method, path and body; `claim` is fresh."""

    key: str
    fingerprint: bytes
    claim: UUID


class Answer(msgspec.Struct, frozen=True):
    """What was answered, to be given again word for word."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Replayed(Exception):
    """The key was answered before; nothing ran."""

    def __init__(self, answer: Answer) -> None:
        super().__init__("replayed")
        self.answer = answer


def locked_up(ring: KeyRing, org: UUID, key: str, answer: Answer) -> bytes:
    """The answer as it is stored: readable for this organization and key only."""
    return ring.box(LABEL, msgspec.msgpack.encode(answer), context=_context(org, key))


def opened(ring: KeyRing, org: UUID, key: str, stored: bytes) -> Answer:
    """The stored answer.

    Raises:
        Undecryptable: it was stored for another organization or key, or altered.
    """
    plain = ring.unbox(LABEL, stored, context=_context(org, key))
    return msgspec.msgpack.decode(plain, type=Answer)


def _context(org: UUID, key: str) -> bytes:
    return org.bytes + key.encode()
