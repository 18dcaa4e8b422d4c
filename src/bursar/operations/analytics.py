"""Figures' own upkeep: what was appended is added up by day."""

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import figures


class FoldFigures(Struct, frozen=True):
    """Those of the bound organization."""


@operation(requires=Permission.LEDGER_FOLD)
async def fold_figures(tx: Tx, _command: FoldFigures) -> int:
    """Add up figures by day; twice at once, each takes others. Over how many days and measures."""
    return await figures.fold(tx)
