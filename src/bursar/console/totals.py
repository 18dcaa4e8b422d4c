"""What a draft comes to while it is still being typed: the real thing is tried and taken back.

Nothing is added up here or in the browser; the figures are those that saving would give. Where no
script runs, a button asks for them.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bursar.api.headers import header
from bursar.api.trace import traced
from bursar.console.asking import AnsweredNo, Question, no_of
from bursar.console.cells import Eyes
from bursar.console.fields import Form, Totals
from bursar.console.pages import page
from bursar.console.visits import Visit
from bursar.domain.refusals import Refusal
from bursar.runtime.idempotency import Answer

TOTALS: Final = "totals"
_PARTIAL: Final = "HX-Request"
_SUMS: Final = (
    ("Subtotal", "subtotalCents"),
    ("Discounts", "discountCents"),
    ("Tax", "taxAmountCents"),
    ("Total", "totalCents"),
)


def standing(form: Form) -> Totals | None:
    """What the form's draft comes to as it is; None where a form has no totals."""
    if not form.deed.has_totals:
        return None
    return Totals(sums=_sums(form.eyes, form.thing) if form.deed.is_edit else ())


async def tried(visit: Visit, form: Form, ids: Mapping[str, str]) -> Totals:
    """What it would come to as typed."""
    query = {"dryRun": "true"}
    try:
        question = Question(route=form.deed.route, ids=ids, query=query, body=form.body)
        told = (await visit.asker.ask(question))["data"]
    except (Refusal, AnsweredNo) as refused:
        answer = no_of(refused, traced(visit.request.scope))
        return Totals(fault=_words(msgspec.json.decode(answer.body)["error"]))
    return Totals(sums=_sums(form.eyes, told))


def is_partial(visit: Visit) -> bool:
    """Whether a script asked, which wants the figures alone."""
    return header(visit.request.scope, _PARTIAL) is not None


def figures(totals: Totals, action: str) -> Answer:
    """The figures alone."""
    return page("totals.html", {"totals": totals, "action": action})


def _sums(eyes: Eyes, invoice: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (label, eyes.money(invoice[name], invoice["currency"]))
        for label, name in _SUMS
        if invoice.get(name) or name == "totalCents"
    )


def _words(error: Mapping[str, Any]) -> str:
    told = [f"{each['field']} {each['message']}" for each in error.get("details", ())]
    return "; ".join(told) or str(error["message"])
