"""What every list of the console has, found by walking over all of them: none is left out.

Filters in the address for whatever its route knows, order, a way on, a file, a recipe, and a word
for whoever finds it empty.
"""

from urllib.parse import parse_qs, urlsplit

import pytest
from tests.api.client import Client
from tests.console.browser import Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.world import Org, World

from bursar.console.asking import BY_NAME
from bursar.console.nouns.every import BY_ROUTE, NOUNS
from bursar.console.nouns.shape import Noun, Part
from bursar.console.orders import order_of
from bursar.domain.access import ROLE_PERMISSIONS

LISTS = [noun for noun in NOUNS if noun.rows]
PARTS = [(noun, part) for noun in NOUNS for part in noun.parts if part.route]
OWN_PAGES = [(noun, part) for noun, part in PARTS if part.has_page]
PAGING = {"page", "pageSize", "limit", "after", "sort", "expand"}
BY_NUMBER = {
    "listAccounts": "sorted by code, as a chart of accounts is, and as long as the chart",
    "listMembers": "people and invitations, first come first; a team",
    "listUsageEvents": "of one subscription, by when they were used",
}
each_list = pytest.mark.parametrize("noun", LISTS, ids=lambda noun: noun.slug)
each_own_page = pytest.mark.parametrize(
    ("noun", "part"), OWN_PAGES, ids=lambda each: getattr(each, "slug", "")
)


def known(route: str) -> set[str]:
    """The parameters of a route."""
    return set(BY_NAME[route].terms.query.__struct_encode_fields__)


@each_list
def test_whatever_the_route_knows_is_a_filter(noun: Noun) -> None:
    # Nobody has to type an address by hand to narrow a list.
    assert {each.name for each in noun.filters} == known(noun.rows) - PAGING
    assert noun.teaches


@each_own_page
def test_whatever_a_part_knows_is_a_filter(noun: Noun, part: Part) -> None:
    # The same of lists inside things.
    assert {each.name for each in part.filters} == known(part.route) - PAGING, noun.slug


@pytest.mark.parametrize("route", sorted({*BY_ROUTE, *(part.route for _, part in PARTS)}))
def test_long_lists_go_on_from_a_row(route: str) -> None:
    # The next piece costs the same however deep it is; what goes by number is known to be short.
    if "page" in known(route):
        assert ("after" in known(route)) != (route in BY_NUMBER)


@pytest.mark.parametrize(("noun", "part"), PARTS, ids=lambda each: each.slug)
def test_what_does_not_fit_is_somewhere(noun: Noun, part: Part) -> None:
    # The rest of a table on a thing's page is on a page of its own, or in a list narrowed to it.
    if part.own or not BY_NAME[part.route].terms.is_list or part.has_page:
        return
    listed = BY_ROUTE[part.route]
    given = {*part.query, *part.asks} - PAGING
    assert given <= {each.name for each in listed.filters}, (noun.slug, part.title)


@pytest.fixture(scope="module")
async def newcomer(world: World, anyone: Client) -> Browser:
    """Somebody whose organization was founded a moment ago."""
    org = await world.org()
    return signed_in(world.app, anyone, org.access_token, org.id)


@each_list
async def test_every_list_has_everything(noun: Noun, newcomer: Browser) -> None:
    # Empty, it teaches; narrowed to nothing, it says so; and all it can do stands on it.
    answer = await newcomer.see(f"/{noun.slug}")
    page, told = read(answer), text_of(answer)
    assert answer.status == 200, answer.body
    assert noun.teaches in told or "tbody" in page.tags
    assert {each.name for each in noun.filters} <= page.fields.keys()
    is_sorted = order_of(noun.rows, {}, place="") is not None
    assert ("sort" in page.fields) == is_sorted == ("sort" in known(noun.rows))
    place = f"/console/{newcomer.org_id}/{noun.slug}"
    assert f"{place}/-/csv" in page.links
    assert ("curl" in told, noun.command in told) == (True, True)
    name = next((each.name for each in noun.filters if each.name in {"createdAt[gte]", "q"}), None)
    if name is not None:
        shown = await newcomer.see(f"/{noun.slug}?{name}=2090-01-01")
        assert "Nothing fits these filters" in text_of(shown)
        assert place in read(shown).links, "the way back"


@each_own_page
async def test_every_part_has_everything(noun: Noun, part: Part, stage: Stage) -> None:
    # A list inside a thing has the same; it is shown to whoever may see the thing and the list.
    place = f"/{noun.slug}/{stage.thing(noun)}"
    needed = {noun.needs, BY_NAME[part.route].terms.needs}
    for role, browser in stage.browsers.items():
        may = needed <= ROLE_PERMISSIONS[role]
        answer = await browser.see(f"{place}/parts/{part.slug}")
        assert answer.status == (200 if may else 403), (role, answer.body[-600:])
    page = read(await stage.owner.see(f"{place}/parts/{part.slug}"))
    assert {each.name for each in part.filters} <= page.fields.keys()
    assert ("sort" in page.fields) == (order_of(part.route, {}, place="") is not None)
    root = f"/console/{stage.org.id}"
    assert {f"{root}{place}", f"{root}{place}/parts/{part.slug}.csv"} <= set(page.links)
    file = await stage.owner.see(f"{place}/parts/{part.slug}.csv")
    assert (file.status, file.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert (await stage.owner.see(f"{place}/parts/nonsense")).status == 404


async def _edited(org: Org, client: Client, times: int) -> tuple[str, str]:
    """A customer and a draft to whom more happened than fits on a page."""
    customer = await org.customer(None)
    draft = await org.draft(customer)
    for at in range(times):
        for path, body in (
            (f"/v1/customers/{customer.id}", {"name": f"Name {at}"}),
            (f"/v1/invoices/{draft.id}", {"memo": f"Memo {at}"}),
        ):
            answer = await client.patch(path, body)
            assert answer.status == 200, answer.body
    return customer.id, draft.id


async def test_the_rest_is_one_click_away(stage: Stage) -> None:
    # A table that does not fit leads to all of it: to a list narrowed to the thing, or its own.
    client = stage.owner.client.bearing(stage.org.access_token, stage.org.id)
    customer, draft = await _edited(stage.org, client, 11)
    root = f"/console/{stage.org.id}"
    links = read(await stage.owner.see(f"/customers/{customer}")).links
    (way,) = [each for each in links if each.startswith(f"{root}/audit?")]
    assert parse_qs(urlsplit(way).query) == {"resourceId": [customer]}
    assert read(await stage.owner.get(way)).tags.count("tr") > 1 + 11
    place = f"{root}/invoices/{draft}"
    shown = read(await stage.owner.get(place))
    assert f"{place}/parts/timeline" in shown.links
    assert read(await stage.owner.get(f"{place}/parts/timeline")).tags.count("tr") > 1 + 11


async def test_a_part_is_narrowed_and_goes_on(stage: Stage) -> None:
    # Filters and order of a list inside a thing stand in its address, and in its file's.
    place = f"/webhooks/{stage.things.by_prefix['wh']}/parts/deliveries"
    narrowed = read(await stage.owner.see(f"{place}?status=failed&sort=createdAt"))
    assert (narrowed.fields["status"], narrowed.fields["sort"]) == ("failed", "createdAt")
    file = f"/console/{stage.org.id}{place}.csv?status=failed&sort=createdAt"
    assert file in narrowed.links
    assert (await stage.owner.get(file)).status == 200
    assert (await stage.owner.see(f"{place}?nonsense=1")).status == 400
