"""The first page: what is earned, what is owed, what failed, and what needs a hand."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from bursar.console.asking import BY_NAME, Question
from bursar.console.cells import Eyes
from bursar.console.charts import MOVEMENTS, MRR, REVENUE, chart_of
from bursar.console.nouns.every import BY_SLUG
from bursar.console.pages import inside
from bursar.console.visits import Visit
from bursar.runtime.idempotency import Answer

_SPAN: Final = {"interval": "month"}  # the last twelve, by the organization's own clock
_WHOLE: Final = 100
_DRAWN: Final = (MRR, REVENUE, MOVEMENTS)


class Chore(Struct, frozen=True, kw_only=True):
    """Something that waits for a person."""

    label: str
    count: int
    href: str
    tone: str = "busy"


async def home_page(visit: Visit) -> Answer:
    """The organization at a glance; whoever may not see money sees what they may."""
    reports = ("getMrr", "getRevenue", "getInvoicesReport", "getPaymentsReport")
    asked = [Question(route=name, query=_SPAN) for name in reports if _may(visit, name)]
    told = dict(
        zip(
            [each.route for each in asked],
            await asyncio.gather(*(visit.asker.ask(each) for each in asked)),
            strict=True,
        )
    )
    found = {name: answer["data"] for name, answer in told.items()}
    context: dict[str, object] = {
        "figures": _figures(visit.eyes, found),
        "charts": [
            chart_of(visit.eyes, each, found[each.route]) for each in _DRAWN if each.route in found
        ],
        "ages": _ages(visit.eyes, found),
        "bridge": _bridge(visit.eyes, found),
        "chores": await _chores(visit),
        "is_empty": not any(
            piece[line.field]
            for drawing in _DRAWN
            for piece in found.get(drawing.route, {}).get("series", ())
            for line in drawing.lines
        ),
    }
    return inside(visit, "home.html", context)


def _may(visit: Visit, route: str) -> bool:
    return visit.may(BY_NAME[route].terms.needs)


def _figures(eyes: Eyes, found: Mapping[str, Any]) -> list[dict[str, str]]:
    """The few numbers one looks for first."""
    figures = []
    if "getMrr" in found:
        mrr = found["getMrr"]
        last = mrr["series"][-1]
        figures.append(_figure("MRR", eyes.money(last["mrrCents"], mrr["currency"]), "now"))
    if "getRevenue" in found:
        revenue = found["getRevenue"]
        last = revenue["series"][-1]
        text = eyes.money(last["netCents"], revenue["currency"])
        figures.append(_figure("Revenue", text, "this month"))
    if "getInvoicesReport" in found:
        report = found["getInvoicesReport"]
        owed, currency = report["outstanding"], report["currency"]
        total, fresh = owed["total"]["amountCents"], owed["current"]["amountCents"]
        figures.append(_figure("Open", eyes.money(total, currency), _invoices(owed["total"])))
        figures.append(_figure("Overdue", eyes.money(total - fresh, currency), "past their day"))
    if "getPaymentsReport" in found:
        last = found["getPaymentsReport"]["series"][-1]
        text = f"{last['failedCount']} of {last['failedCount'] + last['succeededCount']}"
        figures.append(_figure("Payments failed", text, "this month"))
    return figures


def _figure(label: str, text: str, hint: str) -> dict[str, str]:
    return {"label": label, "text": text, "hint": hint}


def _invoices(age: Mapping[str, Any]) -> str:
    return "1 invoice" if age["count"] == 1 else f"{age['count']} invoices"


_AGES: Final = (
    ("Not due yet", "current"),
    ("1 to 30 days", "days1To30"),
    ("31 to 60 days", "days31To60"),
    ("61 to 90 days", "days61To90"),
    ("Over 90 days", "daysOver90"),
)


def _ages(eyes: Eyes, found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is owed, by how late it is, with a bar in hundredths."""
    if "getInvoicesReport" not in found:
        return []
    report = found["getInvoicesReport"]
    owed = report["outstanding"]
    total = owed["total"]["amountCents"] or 1
    return [
        {
            "label": label,
            "text": eyes.money(owed[name]["amountCents"], report["currency"]),
            "hint": _invoices(owed[name]),
            "share": owed[name]["amountCents"] * _WHOLE // total,
        }
        for label, name in _AGES
    ]


_STEPS: Final = (
    ("New", "newCents"),
    ("Expansion", "expansionCents"),
    ("Reactivation", "reactivationCents"),
    ("Contraction", "contractionCents"),
    ("Churn", "churnCents"),
)


def _bridge(eyes: Eyes, found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How this month's MRR came from the last one's."""
    if "getMrr" not in found:
        return []
    report = found["getMrr"]
    last = report["series"][-1]
    steps = [(label, eyes.money(last[name], report["currency"])) for label, name in _STEPS]
    before = eyes.money(last["mrrCents"] - last["netCents"], report["currency"])
    return [("Before", before), *steps, ("Now", eyes.money(last["mrrCents"], report["currency"]))]


_CHORES: Final = (
    ("Failed payments in dunning", "dunning", {"isResolved": "false"}, "bad"),
    ("Disputes that want an answer", "disputes", {"status": "needs_response"}, "bad"),
    ("Payments that wait for a bank", "payments", {"status": "requires_action"}, "busy"),
    ("Drafts to finalize", "invoices", {"status": "draft"}, "busy"),
    ("Letters that could not be sent", "emails", {"status": "failed"}, "bad"),
)


async def _chores(visit: Visit) -> list[Chore]:
    """What waits for a person, and how much of it."""
    known = [each for each in _CHORES if visit.may(BY_SLUG[each[1]].needs)]
    told = await asyncio.gather(
        *(
            visit.asker.ask(Question(route=BY_SLUG[slug].rows, query={**query, "pageSize": "1"}))
            for _, slug, query, _ in known
        )
    )
    return [
        Chore(
            label=label,
            count=answer["meta"]["totalCount"],
            href=f"{visit.root}/{slug}?{urlencode(query)}",
            tone=tone,
        )
        for (label, slug, query, tone), answer in zip(known, told, strict=True)
        if answer["meta"]["totalCount"]
    ]
