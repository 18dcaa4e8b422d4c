"""The page of reports: the figures people steer by, drawn, for the days that the address names."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from bursar.console.asking import BY_NAME, Question
from bursar.console.cells import ABSENT, Eyes
from bursar.console.charts import MOVEMENTS, MRR, REVENUE, Drawing, Line, chart_of
from bursar.console.lists import chosen_of, filled
from bursar.console.nouns.shape import Filter
from bursar.console.pages import inside
from bursar.console.recipes import recipes
from bursar.console.visits import Visit
from bursar.domain.reports import Interval
from bursar.runtime.idempotency import Answer

SLUG: Final = "analytics"
_DRAWN: Final = (
    MRR,
    MOVEMENTS,
    REVENUE,
    Drawing(
        title="Collected and failed",
        route="getPaymentsReport",
        lines=(
            Line(label="Collected", field="collectedCents", tone="--good"),
            Line(label="Failed", field="failedCents", tone="--bad"),
        ),
    ),
    Drawing(
        title="Invoiced and settled",
        route="getInvoicesReport",
        lines=(
            Line(label="Invoiced", field="invoicedCents", tone="--accent"),
            Line(label="Paid", field="paidCents", tone="--good"),
            Line(label="Voided", field="voidedCents", tone="--soft"),
        ),
    ),
    Drawing(
        title="Subscribers",
        route="getCustomersReport",
        lines=(Line(label="Subscribers", field="subscriberCount"),),
        form="line",
        is_money=False,
    ),
)
_FILTERS: Final = (
    Filter(name="from", label="From"),
    Filter(name="to", label="Before"),
    Filter(name="interval", label="By", choices=tuple(Interval)),
    Filter(name="currency", label="Currency"),
)
_KNOWN: Final = frozenset(each.name for each in _FILTERS)


async def analytics_page(visit: Visit) -> Answer:
    """Every report of the span, each asked once."""
    visit.require(BY_NAME[MRR.route].terms.needs)
    chosen = {name: text for name, text in chosen_of(visit).items() if name in _KNOWN}
    query = {"interval": str(Interval.MONTH)} | chosen
    names = list(dict.fromkeys(each.route for each in _DRAWN))
    asked = [Question(route=name, query=query) for name in names]
    told = await asyncio.gather(*(visit.asker.ask(each) for each in asked))
    found = {name: answer["data"] for name, answer in zip(names, told, strict=True)}
    context: dict[str, object] = {
        "place": f"{visit.root}/{SLUG}",
        "filters": filled(_FILTERS, query),
        "is_narrowed": bool(chosen),
        "figures": _figures(visit.eyes, found),
        "charts": [chart_of(visit.eyes, each, found[each.route]) for each in _DRAWN],
        "recipes": [each for question in asked for each in recipes(visit, question)],
    }
    return inside(visit, "analytics.html", context)


def _figures(eyes: Eyes, found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What the whole span comes to: a label, a figure, and what it means."""
    mrr, people, paid = (
        found[name] for name in ("getMrr", "getCustomersReport", "getPaymentsReport")
    )
    currency = mrr["currency"]
    return [
        ("MRR", eyes.money(mrr["totals"]["mrrCents"], currency), "at the end"),
        ("ARR", eyes.money(mrr["arrCents"], currency), "twelve times that"),
        ("Net retention", _percent(eyes, mrr["netRetentionPercent"]), "of what began the span"),
        ("Gross retention", _percent(eyes, mrr["grossRetentionPercent"]), "without expansion"),
        ("Subscriber churn", _percent(eyes, people["churnPercent"]), "of those who began it"),
        ("Payments that succeed", _percent(eyes, paid["totals"]["successPercent"]), "in the span"),
    ]


def _percent(eyes: Eyes, number: str | None) -> str:
    return ABSENT if number is None else f"{eyes.count(number)} %"
