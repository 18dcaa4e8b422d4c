"""Every path of the console, and what is said when one of them cannot be shown.

A look is a GET and changes nothing; a deed is a POST of a form of ours. Signed out, a look leads to
the sign-in page and from there back.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import urlencode

import msgspec
from litestar.handlers import HTTPRouteHandler

from bursar.api.dispatch import Act, Edge, Wire, plain_endpoint
from bursar.api.streaming import Streamed
from bursar.api.trace import traced
from bursar.console.account import (
    ACCOUNT,
    account_deed_done,
    account_deed_page,
    account_page,
)
from bursar.console.analytics import SLUG, analytics_page
from bursar.console.asking import Question, no_of
from bursar.console.assets import assets_route
from bursar.console.deeds import deed_done, deed_page
from bursar.console.doors import (
    HOME,
    LINK,
    SIGN_IN,
    link_page,
    link_taken,
    sign_in_page,
    signed_in,
    signed_out,
)
from bursar.console.exports import list_file
from bursar.console.forgotten import FORGOTTEN, forgotten_page, letter_asked
from bursar.console.home import home_page
from bursar.console.lists import list_page
from bursar.console.live import events_live, is_by_itself, queues_live
from bursar.console.nouns.every import BY_SLUG
from bursar.console.nouns.shape import Deed, Noun
from bursar.console.pages import QUEUES, QUEUES_LIVE, inside, page, see_other
from bursar.console.passes import cookie
from bursar.console.queue_deeds import queue_deed_done, queue_deed_page
from bursar.console.queues import queues_page
from bursar.console.searching import search_page
from bursar.console.sublists import part_page
from bursar.console.things import ALONE, explanation_page, question_of, thing_page
from bursar.console.visits import SignedOut, Visit, is_secure, visit_of
from bursar.domain.refusals import NotAuthenticated, NotFound
from bursar.runtime.clock import now
from bursar.runtime.idempotency import Answer

Serve = Callable[[Visit], Awaitable[Answer]]

_ORG: Final = "/console/{organizationId}"
_NOUN: Final = _ORG + "/{noun}"
_THING: Final = _NOUN + "/{thing}"


def console_routes(edge: Edge) -> list[HTTPRouteHandler]:
    """Everything under `/console`."""

    def opened(serve: Serve) -> Act:
        async def act(request: Wire) -> Answer:
            return await _served(edge, request, serve)

        return act

    async def enter(request: Wire) -> Answer:
        return await sign_in_page(edge, request)

    async def entering(request: Wire) -> Answer:
        return await signed_in(edge, request)

    async def peeking(request: Wire) -> Answer:
        return await link_page(edge, request)

    async def taking(request: Wire) -> Answer:
        return await link_taken(edge, request)

    async def asking(request: Wire) -> Answer:
        return await letter_asked(edge, request)

    return [
        assets_route(),
        plain_endpoint("GET", LINK, peeking, _failed),
        plain_endpoint("POST", LINK, taking, _failed),
        plain_endpoint("GET", HOME, opened(_lobby), _failed),
        plain_endpoint("GET", SIGN_IN, enter, _failed),
        plain_endpoint("POST", SIGN_IN, entering, _failed),
        plain_endpoint("GET", FORGOTTEN, forgotten_page, _failed),
        plain_endpoint("POST", FORGOTTEN, asking, _failed),
        plain_endpoint("POST", "/console/sign-out", opened(signed_out), _failed),
        plain_endpoint("GET", ACCOUNT, opened(account_page), _failed),
        plain_endpoint("GET", ACCOUNT + "/{deed}", opened(account_deed_page), _failed),
        plain_endpoint("POST", ACCOUNT + "/{deed}", opened(account_deed_done), _failed),
        plain_endpoint("GET", QUEUES, opened(queues_page), _failed),
        plain_endpoint("GET", QUEUES_LIVE, opened(queues_live), _failed),
        plain_endpoint("GET", QUEUES + "/{deed}", opened(queue_deed_page), _failed),
        plain_endpoint("POST", QUEUES + "/{deed}", opened(queue_deed_done), _failed),
        plain_endpoint("GET", _ORG, opened(home_page), _failed),
        plain_endpoint("GET", _ORG + "/live", opened(events_live), _failed),
        plain_endpoint("GET", _NOUN, opened(_listed), _failed),
        plain_endpoint("GET", _THING, opened(_shown), _failed),
        plain_endpoint("GET", _THING + "/{deed}", opened(_offered), _failed),
        plain_endpoint("POST", _THING + "/{deed}", opened(_pressed), _failed),
        plain_endpoint("GET", _THING + "/files/{name}", opened(_file), _failed),
        plain_endpoint("GET", _THING + "/parts/{part}", opened(_parted), _failed),
    ]


async def _served(edge: Edge, request: Wire, serve: Serve) -> Answer:
    """One visit; whatever goes wrong inside is said inside, where the way on is."""
    try:
        visit = await visit_of(edge, request)
    except (SignedOut, NotAuthenticated):
        return _to_sign_in(request)
    try:
        answer = await serve(visit)
    except NotAuthenticated:
        return _to_sign_in(request)
    except Exception as error:  # noqa: BLE001 - whatever it is, the visitor gets a page
        return _faulty(visit, error)
    return _refreshed(visit, answer)


def _refreshed(visit: Visit, answer: Answer) -> Answer:
    """The same answer with the cookie seen now, so that half an hour begins again."""
    if isinstance(answer, Streamed) or is_by_itself(visit):
        return answer
    seen = visit.given.seen(now())
    if seen is None or any(name == "Set-Cookie" for name, _ in answer.headers):
        return answer
    line = cookie(visit.app.keys, seen, is_secure=is_secure(visit.app))
    return Answer(answer.status, answer.body, (*answer.headers, ("Set-Cookie", line)))


def _to_sign_in(request: Wire) -> Answer:
    place = request.scope["path"]
    if request.scope["query_string"]:
        place += "?" + request.scope["query_string"].decode("latin-1")
    has_cookie = any(name == b"cookie" for name, _ in request.scope["headers"])
    ended = {"ended": "1"} if has_cookie else {}
    if request.scope["method"] != "GET" or place == HOME:
        return see_other(f"{SIGN_IN}?{urlencode(ended)}" if ended else SIGN_IN)
    return see_other(f"{SIGN_IN}?{urlencode({'next': place, **ended})}")


async def _lobby(visit: Visit) -> Answer:
    """Straight into the only organization; a choice where there are more, a word where none."""
    places = visit.me["memberships"]
    if len(places) == 1:
        return see_other(f"{HOME}/{places[0]['organizationId']}")
    return inside(visit, "lobby.html", {})


_PAGES: Final[Mapping[str, Serve]] = {SLUG: analytics_page, "search": search_page}


def _noun(visit: Visit) -> Noun:
    noun = BY_SLUG.get(visit.request.path_params["noun"])
    if noun is None:
        raise NotFound("No such page.")
    return noun


async def _listed(visit: Visit) -> Answer:
    page_of_its_own = _PAGES.get(visit.request.path_params["noun"])
    if page_of_its_own is not None:
        return await page_of_its_own(visit)
    noun = _noun(visit)
    if noun.is_single:
        return await thing_page(visit, noun)
    if not noun.rows:
        raise NotFound("No such page.")
    return await list_page(visit, noun)


async def _shown(visit: Visit) -> Answer:
    noun = _noun(visit)
    if not noun.item or noun.is_single:
        raise NotFound("No such page.")
    return await thing_page(visit, noun, visit.request.path_params["thing"])


def _deed(visit: Visit, noun: Noun) -> Deed:
    is_new = visit.request.path_params["thing"] == ALONE and not noun.is_single
    offered = noun.makes if is_new else noun.deeds
    for deed in offered:
        if deed.slug == visit.request.path_params["deed"]:
            return deed
    raise NotFound("No such page.")


async def _offered(visit: Visit) -> Answer:
    noun, place = _noun(visit), visit.request.path_params
    if place["thing"] == ALONE and place["deed"] == "csv" and noun.rows:
        return await list_file(visit, noun)
    if place["deed"] == "explain" and noun.slug == "invoices":
        return await explanation_page(visit, noun, place["thing"])
    return await deed_page(visit, noun, _deed(visit, noun), place["thing"])


async def _pressed(visit: Visit) -> Answer:
    noun = _noun(visit)
    return await deed_done(visit, noun, _deed(visit, noun), visit.request.path_params["thing"])


async def _file(visit: Visit) -> Answer:
    noun, place = _noun(visit), visit.request.path_params
    route = noun.files.get(place["name"])
    if route is None:
        raise NotFound("No such page.")
    ids = question_of(visit, noun, place["thing"]).ids
    return await visit.asker.answer(Question(route=route, ids=ids))


async def _parted(visit: Visit) -> Answer:
    noun = _noun(visit)
    if not noun.item:
        raise NotFound("No such page.")
    return await part_page(visit, noun, visit.request.path_params["thing"])


def _faulty(visit: Visit, error: Exception) -> Answer:
    answer = no_of(error, traced(visit.request.scope))
    told = msgspec.json.decode(answer.body)["error"]
    context: dict[str, object] = {"error": told, "title": _TITLES.get(answer.status, _BROKEN)}
    template = "error.html" if visit.org is not None else "fault.html"
    show = inside if visit.org is not None else None
    shown = page(template, context) if show is None else show(visit, template, context)
    waits = tuple(pair for pair in answer.headers if pair[0] == "Retry-After")
    return Answer(answer.status, shown.body, shown.headers + waits)


def _failed(error: Exception, request: Wire) -> Answer:
    """The same refusal, on a page of its own."""
    answer = no_of(error, traced(request.scope))
    told = msgspec.json.decode(answer.body)["error"]
    context: dict[str, object] = {"error": told, "title": _TITLES.get(answer.status, _BROKEN)}
    waits = tuple(pair for pair in answer.headers if pair[0] == "Retry-After")
    shown = page("fault.html", context, status=answer.status)
    return Answer(shown.status, shown.body, shown.headers + waits)


_BROKEN: Final = "Something went wrong on our side"
_TITLES: Final = {
    400: "That cannot be read",
    403: "You may not do this",
    404: "There is no such page",
    409: "The state of things does not allow it",
    429: "One moment, please",
    503: "Something is away for the moment",
}
