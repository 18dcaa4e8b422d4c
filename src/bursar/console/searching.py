"""The one search field: an id leads to its thing, words find things, pages and what can be done."""

import asyncio
from typing import Final

from bursar.console.asking import Question
from bursar.console.lists import row_of
from bursar.console.nouns.every import BY_PREFIX, BY_SLUG
from bursar.console.pages import inside, see_other
from bursar.console.things import ALONE
from bursar.console.visits import Visit
from bursar.domain.ids import MalformedId, parse_id
from bursar.runtime.idempotency import Answer

_SOUGHT: Final = ("customers", "invoices", "plans")
_FOUND_MAX: Final = 8
_WORDS_MAX: Final = 100


async def search_page(visit: Visit) -> Answer:
    """What was found, a few of each kind."""
    words = visit.request.query_params.get("q", "").strip()[:_WORDS_MAX]
    noun = BY_PREFIX.get(words.partition("_")[0])
    if noun is not None and _is_id(words):
        return see_other(f"{visit.root}/{noun.slug}/{words}")
    nouns = [BY_SLUG[slug] for slug in _SOUGHT if visit.may(BY_SLUG[slug].needs)] if words else []
    query = {"q": words, "limit": str(_FOUND_MAX)}
    told = await asyncio.gather(
        *(visit.asker.ask(Question(route=each.rows, query=query)) for each in nouns)
    )
    found = [
        (each, [row_of(visit, each, thing) for thing in answer["data"]])
        for each, answer in zip(nouns, told, strict=True)
        if answer["data"]
    ]
    pages = [
        each
        for each in BY_SLUG.values()
        if words and words.lower() in each.title.lower() and each.rows and visit.may(each.needs)
    ]
    context: dict[str, object] = {
        "searched": words,
        "found": found,
        "pages": pages,
        "actions": _actions(visit, words.lower()),
    }
    return inside(visit, "search.html", context)


def _actions(visit: Visit, words: str) -> list[tuple[str, str]]:
    """What can be begun from anywhere and is called so: a label, and where."""
    return [
        (deed.label, f"{visit.root}/{noun.slug}/{ALONE}/{deed.slug}")
        for noun in BY_SLUG.values()
        for deed in (*noun.makes, *(noun.deeds if noun.is_single else ()))
        if words and words in f"{deed.label} {noun.one}".lower() and visit.may(deed.needs)
    ]


def _is_id(text: str) -> bool:
    try:
        parse_id(text.partition("_")[0], text=text)
    except MalformedId:
        return False
    return True
