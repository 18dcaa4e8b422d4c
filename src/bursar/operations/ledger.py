"""The books' own upkeep: sums of busy accounts are carried forward, not added up anew."""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import ledger

MARGIN: Final = timedelta(minutes=5)
"""How long ago the books may be closed: far longer than any transaction takes."""


class FoldBooks(Struct, frozen=True):
    """Carry the sums forward up to this long ago."""

    margin: timedelta = MARGIN


@operation(requires=Permission.LEDGER_FOLD)
async def fold_books(tx: Tx, command: FoldBooks) -> int:
    """Add up what was closed before, and close what is old enough; how many accounts it touched.

    Closing and adding up are two commits: in between every transaction that did not know of the
    closing has ended, so no entry can be left out.
    """
    folded = await ledger.fold(tx)
    closed = await ledger.close(tx, tx.wall - command.margin)
    return folded + closed
