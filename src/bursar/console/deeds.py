"""Buttons: a page that says what will happen, a dry run where there is one, then the deed itself.

The form that is shown carries a key of its own, so pressing twice is doing once. Where money moves
or something ends, a reason is asked for, and stands in the audit log beside the deed.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bursar.api.routes import ID_PREFIXES
from bursar.api.trace import traced
from bursar.console.asking import AnsweredNo, Question, no_of
from bursar.console.cells import ABSENT
from bursar.console.fields import Form
from bursar.console.forms import KEY, PROOF, REASON, STEP, read_form, require_own_form
from bursar.console.lists import COMPANIONS, cells_of, own_table
from bursar.console.nouns.columns import money, wide
from bursar.console.nouns.every import BY_PREFIX, BY_SLUG
from bursar.console.nouns.shape import Deed, Noun, Part
from bursar.console.pages import inside, see_other
from bursar.console.suggesting import suggestions
from bursar.console.things import ALONE, is_offered, place_of, question_of, title_of
from bursar.console.totals import TOTALS, figures, is_partial, standing, tried
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.domain.refusals import InvalidInput, Refusal
from bursar.runtime.idempotency import Answer
from bursar.runtime.ids import new_uuid

_UNKNOWN_FROM: Final = 500
_PREVIEW: Final = "preview"
_PREFILLED: Final = ("customerId", "planId", "list", "query")
_SECRETS: Final = ("key", "secret")


async def deed_page(visit: Visit, noun: Noun, deed: Deed, thing_id: str) -> Answer:
    """The button's own page: what will happen, and a form for what must be known."""
    visit.require(deed.needs)
    thing = await _thing(visit, noun, thing_id)
    is_late = not _is_new(noun, thing_id) and not is_offered(visit, deed, noun, thing)
    form = Form(deed=deed, thing=thing, eyes=visit.eyes)
    return await _asked(visit, noun, form, said=_TOO_LATE if is_late else "")


_TOO_LATE: Final = "Things have changed: this is not possible any more in the state it is in."


async def deed_done(visit: Visit, noun: Noun, deed: Deed, thing_id: str) -> Answer:
    """The button pressed: tried first if it can be, then done; back to the form with any fault."""
    typed = await read_form(visit.request)
    require_own_form(visit, typed)
    visit.require(deed.needs)
    thing = await _thing(visit, noun, thing_id)
    if _is_new(noun, thing_id) and typed.get("currency"):
        thing = {**thing, "currency": typed["currency"]}
    form = Form(deed=deed, thing=thing, eyes=visit.eyes, typed=typed)
    if deed.has_totals and typed.get(STEP) == TOTALS:
        return await _added_up(visit, noun, form, thing_id)
    try:
        return await _pressed(visit, noun, form, thing_id)
    except (Refusal, AnsweredNo) as refused:
        answer = no_of(refused, traced(visit.request.scope))
        told = msgspec.json.decode(answer.body)["error"]
        faults = {each["field"]: each["message"] for each in told.get("details", ())}
        faulty = replace(form, faults=faults)
        return await _asked(visit, noun, faulty, said=told["message"], status=answer.status)


async def _pressed(visit: Visit, noun: Noun, form: Form, thing_id: str) -> Answer:
    deed, typed = form.deed, form.typed or {}
    if deed.needs_reason and not typed.get(REASON):
        raise InvalidInput.at(REASON, "say why, for the audit log", "required")
    is_preview = deed.has_preview and typed.get(STEP) == _PREVIEW
    query = {"dryRun": "true"} if is_preview else {}
    question = Question(
        route=deed.route,
        ids=_ids(visit, form, thing_id),
        query=query,
        body=form.body,
        reason=typed.get(REASON, ""),
        key="" if is_preview else typed.get(KEY, ""),
    )
    told = (await visit.asker.ask(question)).get("data")
    if is_preview:
        return await _previewed(visit, noun, form, told)
    secret = _secret_of(told)
    if secret is not None:
        context: dict[str, object] = {
            "noun": noun,
            "secret": secret,
            "back": _back(visit, noun, form, told),
        }
        return inside(visit, "secret.html", context)
    return see_other(_leads(told) or _back(visit, noun, form, told))


async def _added_up(visit: Visit, noun: Noun, form: Form, thing_id: str) -> Answer:
    """The form as typed, with what it comes to; to a script, that alone."""
    totals = await tried(visit, form, _ids(visit, form, thing_id))
    if is_partial(visit):
        return figures(totals, visit.request.scope["path"])
    return await _asked(visit, noun, replace(form, totals=totals))


def _ids(visit: Visit, form: Form, thing_id: str) -> dict[str, str]:
    names = form.deed.verb.parameters
    if names == ["organizationId"]:
        return {"organizationId": str(visit.asker.org_id)}
    return dict.fromkeys(names, thing_id)


def _secret_of(told: Any) -> str | None:
    """What is shown once and never again."""
    if not isinstance(told, Mapping):
        return None
    return next((str(told[name]) for name in _SECRETS if told.get(name)), None)


def _leads(told: Any) -> str | None:
    """The provider's own page, when a payment goes on there."""
    place = told.get("checkoutUrl") if isinstance(told, Mapping) else None
    return str(place) if place and told.get("status") == "pending" else None


def _back(visit: Visit, noun: Noun, form: Form, told: Any) -> str:
    """Where the result is seen: the thing that was made or changed, or the list."""
    made = told.get("id") if isinstance(told, Mapping) else None
    target = _noun_of(str(made)) if made else None
    is_delete = form.deed.verb.method == "DELETE"
    if is_delete or (target is None and not form.thing.get(noun.id_field)):
        return f"{visit.root}/{noun.slug}"
    if target is not None and target.leads is not None:
        return f"{visit.root}/{target.leads(told)}"
    if target is None or target.is_single or noun.id_field != "id":
        thing_id = "" if noun.is_single else str(form.thing[noun.id_field])
        return place_of(visit, noun, thing_id)
    return place_of(visit, target, str(made))


def _noun_of(thing_id: str) -> Noun | None:
    prefix = thing_id.partition("_")[0]
    found = [
        noun
        for noun in BY_SLUG.values()
        if noun.item and noun.id_field == "id" and ID_PREFIXES.get(noun.id_name) == prefix
    ]
    return found[0] if found else None


def _is_new(noun: Noun, thing_id: str) -> bool:
    return thing_id == ALONE and not noun.is_single


async def _thing(visit: Visit, noun: Noun, thing_id: str) -> Mapping[str, Any]:
    """The thing the button stands on; for a new one, what the organization takes for granted."""
    if _is_new(noun, thing_id):
        assert visit.org is not None, "a button stands in an organization"
        asked = visit.request.query_params
        given = {name: asked[name] for name in _PREFILLED if asked.get(name)}
        return {"currency": visit.org["currency"], **given}
    thing: Mapping[str, Any] = (await visit.asker.ask(question_of(visit, noun, thing_id)))["data"]
    return thing


async def _asked(
    visit: Visit, noun: Noun, form: Form, *, said: str = "", status: int = 200
) -> Answer:
    form = replace(form, suggestions=await suggestions(visit, form))
    deed, typed = form.deed, form.typed or {}
    thing_id = str(form.thing.get(noun.id_field, ""))
    context: dict[str, object] = {
        "noun": noun,
        "deed": deed,
        "title": title_of(noun, form.thing) if thing_id else noun.title,
        "back": place_of(visit, noun, "" if noun.is_single else thing_id),
        "entries": form.entries,
        "totals": form.totals or standing(form),
        "action": visit.request.scope["path"],
        "said": said,
        "reason": typed.get(REASON, ""),
        "reason_fault": form.faults.get(REASON, ""),
        # What was refused is over; what may have happened is joined again under its own key.
        "key": typed[KEY] if status >= _UNKNOWN_FROM and KEY in typed else str(new_uuid()),
        "request_id": traced(visit.request.scope).request_id if said else "",
    }
    return inside(visit, "deed.html", context, status=status)


async def _accompanied(visit: Visit, thing: Mapping[str, Any], told: Any) -> dict[str, Any]:
    """What was answered, with the names of what it means, where they are known or can be had."""
    answer = dict(told) if isinstance(told, Mapping) else {}
    for name, companion in COMPANIONS.items():
        wanted = answer.get(name)
        if wanted and thing.get(name) == wanted:
            answer[companion] = thing.get(companion)
        elif wanted:
            noun = BY_PREFIX[str(wanted).partition("_")[0]]
            answer[companion] = await visit.asker.get(noun.item, **{noun.id_name: str(wanted)})
    return answer


async def _previewed(visit: Visit, noun: Noun, form: Form, told: Any) -> Answer:
    """What would have happened: what changes, and what would be billed; then the button again."""
    answer = await _accompanied(visit, form.thing, told)
    target = _noun_of(str(answer.get("id", ""))) or noun
    after = cells_of(visit, target.facts, answer)
    before = {cell.label: cell.text for cell in cells_of(visit, target.facts, form.thing)}
    is_same = target is noun and form.thing.get("id") == answer.get("id")
    changes = [
        {"cell": cell, "before": before[cell.label] if is_same else None}
        for cell in after
        if cell.text != (before[cell.label] if is_same else ABSENT) and cell.label not in _NOISE
    ]
    context: dict[str, object] = {
        "noun": noun,
        "deed": form.deed,
        "title": title_of(noun, form.thing) if form.thing.get(noun.id_field) else noun.title,
        "back": place_of(visit, noun, str(form.thing.get(noun.id_field, ""))),
        "changes": changes,
        "action": visit.request.scope["path"],
        "table_shown": own_table(visit, _LINES, answer) if answer.get("lines") else None,
        "typed": {name: text for name, text in (form.typed or {}).items() if name not in _OWN},
        "key": (form.typed or {}).get(KEY) or str(new_uuid()),
    }
    return inside(visit, "preview.html", context)


_NOISE: Final = frozenset({"Id", "Changed", "Created"})
_OWN: Final = frozenset({PROOF, KEY, STEP})
_LINES: Final = Part(
    title="What would be billed",
    own="lines",
    columns=(wide("Description", of="description"), money("Amount", of="amountCents")),
)
