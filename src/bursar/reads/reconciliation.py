"""Looks at where our books differ from what the processors moved."""

from bursar.domain.access import Permission
from bursar.domain.currencies import Currency
from bursar.domain.ids import uuid_of
from bursar.domain.reconciliation import SETTLING, SHOWN_MAX, Difference, DifferenceKind
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx, Record

Q = sql.beside(__file__)


@query(requires=Permission.LEDGER_READ)
async def differences(tx: ReadTx) -> tuple[Difference, ...]:
    """Every difference, the newest first; none, when the books agree."""
    rows = await tx.fetch(Q.differences, uuid_of(tx.org_id), SETTLING, SHOWN_MAX)
    rows += await tx.fetch(Q.payout_differences, uuid_of(tx.org_id), SHOWN_MAX)
    found = sorted(map(_difference, rows), key=lambda each: each.occurred_at, reverse=True)
    return tuple(found[:SHOWN_MAX])


def _difference(row: Record) -> Difference:
    code = row["currency"]
    return Difference(
        kind=DifferenceKind(row["kind"]),
        resource_id=row["resource_id"],
        provider=row["provider"],
        reference=row["reference"],
        currency=None if code is None else Currency(code),
        ours_minor=None if row["ours"] is None else int(row["ours"]),
        theirs_minor=None if row["theirs"] is None else int(row["theirs"]),
        occurred_at=row["occurred_at"],
    )
