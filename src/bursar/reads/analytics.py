"""Looks at the figures people steer by, from sums of days and months, never from documents."""

from collections.abc import Sequence

from bursar.domain.access import Permission
from bursar.domain.analytics import Measure
from bursar.domain.calendars import day_in
from bursar.domain.currencies import Currency
from bursar.domain.frozen import replace
from bursar.domain.ids import uuid_of
from bursar.domain.reports import Ageing, Asked, Report, Sums, report_of
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)

_AGES = 5


@query(requires=Permission.INVOICE_READ)
async def report(tx: ReadTx, asked: Asked, measures: Sequence[Measure]) -> Report:
    """Figures over a span of the organization's days, up to this instant.

    Raises:
        InvalidInput: a span of nothing, or too long a one.
    """
    settings = await tx.fetchrow(Q.settings, uuid_of(tx.org_id))
    assert settings is not None, "somebody is in it"
    timezone = settings["timezone"]
    span = asked.span(day_in(tx.now, timezone))
    currency = asked.currency or Currency(settings["currency"])
    whole = span.whole_months()
    rows = await tx.fetch(
        Q.figures,
        uuid_of(tx.org_id),
        currency,
        [measure.value for measure in measures],
        span.start,
        span.end,
        span.interval.value,
        span.opening,
        whole.start,
        whole.end,
    )
    found = (
        (row["start_on"], Measure(row["measure"]), Sums(row["minor"], row["count"])) for row in rows
    )
    return report_of(span, currency, timezone, found)


@query(requires=Permission.INVOICE_READ)
async def report_with_ageing(tx: ReadTx, asked: Asked, measures: Sequence[Measure]) -> Report:
    """The same, beside what is open at this instant, by how long it has been due.

    Raises:
        InvalidInput: a span of nothing, or too long a one.
    """
    found = await report.ask(tx, asked, measures)
    rows = await tx.fetch(Q.ageing, uuid_of(tx.org_id), found.currency, tx.now)
    by_age = {row["age"]: Sums(row["minor"], row["count"]) for row in rows}
    return replace(found, ageing=Ageing(*(by_age.get(age, Sums()) for age in range(_AGES))))
