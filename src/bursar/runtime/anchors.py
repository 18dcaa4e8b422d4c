"""Signed heads of the event chains, kept outside the database in an append-only file.

The chain alone cannot show that its tail was cut off or that all of it was rewritten; a head that
was signed and written elsewhere can. One JSON line each: organization, position, hash, signature.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from bursar.domain.checkpoints import head_text
from bursar.domain.event_chain import Link
from bursar.domain.ids import OrgId
from bursar.runtime.crypto import KeyRing, verify_head
from bursar.runtime.logging import get_log

log = get_log()

_MODE: Final = 0o600


class Anchor(msgspec.Struct, frozen=True):
    """One signed head, in hex."""

    org: str
    position: int
    hash: str
    signature: str

    def is_signed_by(self, public_key: bytes) -> bool:
        """Whether the holder of the key signed this head."""
        head = head_text(self.org, position=self.position, head_hash=self.hash)
        return verify_head(public_key, head=head, signature=bytes.fromhex(self.signature))


class Anchors:
    """The file of one installation."""

    def __init__(self, path: Path, keys: KeyRing) -> None:
        self._path = path
        self._keys = keys

    def keep(self, org_id: OrgId, head: Link) -> None:
        """Sign a head, append it to the file, and log it."""
        text = head_text(org_id, position=head.position, head_hash=head.hash.hex())
        signature = self._keys.sign_head(text)
        anchor = Anchor(org_id, head.position, head.hash.hex(), signature.hex())
        line = msgspec.json.encode(anchor) + b"\n"
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        log.info("audit.anchored", org_id=org_id, position=head.position, head=head.hash.hex())

    def heads(self) -> Iterator[Anchor]:
        """Every head in the file whose signature is ours, oldest first.

        A line that was cut short or is not signed by us is passed over: anyone can append one.
        """
        if not self._path.exists():
            return
        public_keys = self._keys.head_public_keys()
        with self._path.open("rb") as lines:
            for line in lines:
                try:
                    anchor = msgspec.json.decode(line, type=Anchor)
                    is_ours = any(anchor.is_signed_by(key) for key in public_keys)
                except (msgspec.DecodeError, ValueError):
                    continue
                if is_ours:
                    yield anchor
