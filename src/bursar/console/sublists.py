"""A table of a thing's page as a list of its own: filters, order, all of it piece by piece, a file.

A thing's page shows the first rows of what belongs to it. Where the rest is in no list of the
console (deliveries of an endpoint, the history of a wallet), it is here.
"""

from typing import Final

from bursar.console.asking import BY_NAME, Question
from bursar.console.exports import file_of
from bursar.console.lists import (
    PAGED,
    asked_of,
    chosen_of,
    companions,
    filled,
    next_of,
    piece_of,
    table_of,
)
from bursar.console.nouns.shape import Noun, Part
from bursar.console.orders import SORT, address
from bursar.console.pages import inside
from bursar.console.recipes import recipes
from bursar.console.things import place_of, question_of, title_of
from bursar.console.visits import Visit
from bursar.domain.frozen import replace
from bursar.domain.refusals import NotFound
from bursar.runtime.idempotency import Answer

_FILE: Final = ".csv"


async def part_page(visit: Visit, noun: Noun, thing_id: str) -> Answer:
    """All of a table, or the file of it where the address ends so.

    Raises:
        NotFound: the thing is not there, or has no such table.
    """
    name = visit.request.path_params["part"]
    part = _part(noun, name.removesuffix(_FILE))
    visit.require(noun.needs)
    visit.require(BY_NAME[part.route].terms.needs)
    thing = (await visit.asker.ask(question_of(visit, noun, thing_id)))["data"]
    ids = {known: str(thing[of]) for known, of in part.ids.items()}
    question = Question(route=part.route, ids=ids)
    if name.endswith(_FILE):
        return await file_of(visit, question, name=f"{noun.slug}-{part.slug}")
    return await _page(visit, part, question, leads_back=(noun, thing_id, title_of(noun, thing)))


def _part(noun: Noun, slug: str) -> Part:
    for part in noun.parts:
        if part.has_page and part.slug == slug:
            return part
    raise NotFound("No such page.")


async def _page(
    visit: Visit, part: Part, question: Question, *, leads_back: tuple[Noun, str, str]
) -> Answer:
    noun, thing_id, title = leads_back
    back = place_of(visit, noun, thing_id)
    place = f"{back}/parts/{part.slug}"
    chosen = chosen_of(visit)
    kept = {name: text for name, text in chosen.items() if name not in PAGED}
    asked, order = asked_of(visit, part.route, chosen, place=place)
    extra = piece_of(part.route, chosen) | companions(part.route, part.columns)
    question = replace(question, query=asked | extra)
    found = await visit.asker.ask(question)
    shown = table_of(
        visit,
        replace(part, route=""),
        found["data"],
        next_of(place, kept, found.get("meta") or {}),
    )
    context: dict[str, object] = {
        "title": part.title,
        "owner": title,
        "back": back,
        "place": place,
        "shown": replace(shown, order=order),
        "filters": filled(part.filters, kept),
        "is_narrowed": bool(kept.keys() - {SORT}),
        "is_first": chosen == kept,
        "first": address(place, kept),
        "export": address(f"{place}{_FILE}", kept),
        "recipes": recipes(visit, question),
    }
    return inside(visit, "sublist.html", context)
