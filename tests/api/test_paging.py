"""Lists: pages with totals, cursors without, and nothing in between."""

from uuid import UUID

import pytest
from tests.api.client import Client
from tests.support.world import Org

from bursar.api.paging import Cursors, ListQuery, page_of
from bursar.domain.refusals import InvalidInput
from bursar.runtime.crypto import KeyRing

ROW = UUID("01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")
RING = KeyRing(b"k" * 32)
CURSORS = Cursors(RING, b"org_a")


def test_a_cursor_leads_back() -> None:
    # What was written is read again, by the same organization, also after the key was changed.
    text = CURSORS.write(ROW)
    assert CURSORS.read(text) == ROW
    assert Cursors(KeyRing(b"n" * 32, (b"k" * 32,)), b"org_a").read(text) == ROW


@pytest.mark.parametrize(
    "text",
    ["", "a", "A" * 43, "A" * 44, "ä" * 43, "=" * 43, CURSORS.write(ROW)[:-1], str(ROW),
     CURSORS.write(ROW) + "A", CURSORS.write(ROW)[:-1] + "!"],
)  # fmt: skip
def test_cursors_that_are_none(text: str) -> None:
    # Whatever was not written here is refused, and names the parameter.
    with pytest.raises(InvalidInput) as refused:
        CURSORS.read(text)
    assert refused.value.details[0].field == "after"


def test_cursors_of_others() -> None:
    # Another organization's cursor, or another installation's, is none of ours.
    text = CURSORS.write(ROW)
    for cursors in (Cursors(RING, b"org_b"), Cursors(KeyRing(b"x" * 32), b"org_a")):
        with pytest.raises(InvalidInput):
            cursors.read(text)


def test_windows() -> None:
    # A window has a number or a cursor, never both, and never lies too deep.
    assert page_of(ListQuery(), CURSORS).offset == 0
    deep = page_of(ListQuery(page=100, page_size=100), CURSORS)
    assert (deep.number, deep.size, deep.is_cursor) == (100, 100, False)
    follow = page_of(ListQuery(limit=7, after=CURSORS.write(ROW)), CURSORS)
    assert (follow.size, follow.is_cursor, follow.after) == (7, True, ROW)
    for query in (
        ListQuery(page=101, page_size=100),
        ListQuery(page=501),
        ListQuery(page=1, limit=1),
        ListQuery(page_size=5, after=CURSORS.write(ROW)),
    ):
        with pytest.raises(InvalidInput):
            page_of(query, CURSORS)


async def test_both_ways_through_a_list(owner: Client, org: Org) -> None:
    # Pages and cursors show the same rows in the same order, each once.
    made = [(await org.customer(None)).id for _ in range(7)]
    newest_first = [*reversed(made)]

    by_page: list[str] = []
    for number in (1, 2, 3, 4):
        page = await owner.get(f"/v1/customers?page={number}&pageSize=3")
        assert page.json["meta"] == {
            "page": number,
            "pageSize": 3,
            "totalCount": 7,
            "totalPages": 3,
        }
        by_page += [each["id"] for each in page.value]
    assert by_page == newest_first

    by_cursor: list[str] = []
    path: str | None = "/v1/customers?limit=3"
    while path is not None:
        piece = await owner.get(path)
        by_cursor += [each["id"] for each in piece.value]
        cursor = piece.json["meta"]["nextCursor"]
        assert piece.json["meta"].keys() == {"nextCursor"}
        path = f"/v1/customers?limit=3&after={cursor}" if cursor else None
    assert by_cursor == newest_first


async def test_filters(owner: Client, org: Org) -> None:
    # Filters narrow, together and with several values; a percent sign is only a percent sign.
    customer = await org.customer()
    draft, opened = await org.draft(customer), await org.invoice(customer)
    found = await owner.get("/v1/invoices?status=draft,open")
    assert {each["id"] for each in found.value} == {draft.id, opened.id}
    found = await owner.get(f"/v1/invoices?status=draft&customerId={customer.id}")
    assert [each["id"] for each in found.value] == [draft.id]
    assert (await owner.get("/v1/customers?q=%25")).value == []
    assert (await owner.get(f"/v1/customers?q={customer.email}")).value[0]["id"] == customer.id
    later = "createdAt[gte]=2190-01-01T00:00:00Z"
    assert (await owner.get(f"/v1/customers?{later}")).value == []
    assert (await owner.get("/v1/invoices?status=draft,,open")).fields == {"status"}


async def test_the_feed(owner: Client, org: Org) -> None:
    # The feed goes on from its cursor, oldest first, and ends where it can be followed later.
    await org.invoice(await org.customer(None))
    first = await owner.get("/v1/events?limit=2")
    assert first.value[0]["type"] == "customer.created"
    cursor = first.json["meta"]["nextCursor"]
    rest = await owner.get(f"/v1/events?after={cursor}")
    assert rest.value[-1]["type"] == "invoice.finalized"
    end = rest.json["meta"]["nextCursor"]
    over = await owner.get(f"/v1/events?after={end}")
    assert (over.value, over.json["meta"]["nextCursor"]) == ([], end)
    one = await owner.get(f"/v1/events/{first.value[0]['id']}")
    assert one.value == first.value[0]
