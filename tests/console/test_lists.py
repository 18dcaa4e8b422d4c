"""Lists: newest first unless the address says otherwise, and every way on keeps the address."""

from typing import get_args, get_type_hints
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from tests.console.browser import read, text_of
from tests.console.conftest import Stage

from bursar.api.rooms import ROUTES
from bursar.api.routes import ID_PREFIXES, Route
from bursar.console.nouns.every import BY_SLUG

PIECE, PIECES_MAX = 90, 50
BOTH_WAYS = [
    route
    for route in ROUTES
    if len(get_args(get_type_hints(route.terms.query or object).get("sort"))) > 1
]


async def _told(stage: Stage, route: Route, sort: str) -> list[str]:
    path = route.path
    for name in route.parameters:
        path = path.replace("{" + name + "}", stage.things.by_prefix[ID_PREFIXES[name]])
    token = {"authorization": f"Bearer {stage.org.access_token}", "x_org_id": stage.org.id}
    told: list[str] = []
    query: dict[str, str | int] = {"limit": PIECE, "sort": sort}
    for _ in range(PIECES_MAX):
        answer = await stage.owner.client.get(f"{path}?{urlencode(query)}", **token)
        assert answer.status == 200, answer.body
        told += [each["id"] for each in answer.value]
        if len(answer.value) < PIECE:
            return told
        query["after"] = answer.json["meta"]["nextCursor"]
    raise AssertionError(f"{path} has no end")


@pytest.mark.parametrize("route", BOTH_WAYS, ids=lambda route: route.name)
async def test_lists_are_told_both_ways(route: Route, stage: Stage) -> None:
    # Oldest first is newest first from the other end.
    newest, oldest = [await _told(stage, route, sort) for sort in ("-createdAt", "createdAt")]
    assert oldest == newest[::-1]


@pytest.mark.parametrize("slug", ["events", "customers", "audit", "invoices"])
async def test_newest_first(slug: str, stage: Stage) -> None:
    # The list begins with the newest; the address turns it around, and the way on keeps that.
    await stage.org.draft(await stage.org.customer())
    place, noun = f"/console/{stage.org.id}/{slug}", BY_SLUG[slug]
    firsts = []
    for query in ("", "?sort=createdAt"):
        links = read(await stage.owner.get(f"{place}{query}")).links
        prefix = f"{place}/{ID_PREFIXES.get(noun.id_name)}_"
        firsts += [each for each in links if each.startswith(prefix)][:1]
    assert firsts == sorted(firsts, reverse=True), "ids sort by time"
    shown = await stage.owner.get(f"{place}?sort=createdAt")
    page = read(shown)
    assert page.fields["sort"] == "createdAt"
    onward = [each for each in page.links if "after=" in each or "page=" in each]
    assert all(parse_qs(urlsplit(each).query)["sort"] == ["createdAt"] for each in onward)
    if any(column.field == "createdAt" for column in noun.columns):
        assert b'aria-sort="ascending"' in shown.body
        assert place in page.links, "the head of the column turns it back"


async def test_order_keeps_the_filters(stage: Stage) -> None:
    # A narrowed list stays narrowed when it is turned around; a made-up order is refused in words.
    shown = read(await stage.owner.see("/customers?q=example"))
    turned = [each for each in shown.links if "sort=createdAt" in each]
    assert turned == [f"/console/{stage.org.id}/customers?q=example&sort=createdAt"]
    assert (await stage.owner.see("/payments?sort=amount")).status == 400


async def test_nothing_canceled_nothing_to_take_back(stage: Stage) -> None:
    # The button stands on a subscription that was canceled, and on no other.
    place = f"/subscriptions/{stage.things.by_prefix['sub']}"
    button = f"/console/{stage.org.id}{place}/reactivate"
    assert button not in read(await stage.owner.see(place)).links
    told = await stage.owner.see(f"{place}/reactivate")
    assert "not possible any more" in text_of(told)
    done = await stage.owner.press(f"{place}/cancel", atPeriodEnd="true", _reason="they close")
    assert done.status == 303, text_of(done)
    assert button in read(await stage.owner.see(place)).links
    await stage.owner.press(f"{place}/reactivate")
    assert button not in read(await stage.owner.see(place)).links
