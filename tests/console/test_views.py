"""Saved views above a list, and the list as a file: both say exactly what the address says."""

import csv
import io
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.api.client import Client, Response
from tests.console.browser import Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.world import Org, World

from bursar.console import exports
from bursar.console.nouns.every import NOUNS
from bursar.console.nouns.shape import Noun
from bursar.domain.access import Role

LISTED = [noun for noun in NOUNS if noun.rows]


def _rows(answer: Response) -> list[dict[str, str]]:
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


@pytest.fixture
async def org(world: World) -> Org:
    """An organization with three drafts, the second of somebody else, and an open invoice."""
    made = await world.org()
    ann, ben = await made.customer(None), await made.customer(None)
    for customer in (ann, ben, ann):
        await made.draft(customer)
    await made.invoice(ann)
    return made


@pytest.fixture
def owner(world: World, org: Org, anyone: Client) -> Browser:
    return signed_in(world.app, anyone, org.access_token, org.id)


async def test_a_list_is_saved_under_a_name(org: Org, owner: Browser) -> None:
    # From the narrowed list to the form and back; then it stands above the list, by its name.
    place = f"/console/{org.id}/invoices"
    assert b"Save this view" not in (await owner.see("/invoices")).body
    narrowed = "/invoices?status=draft&sort=createdAt"
    links = read(await owner.see(narrowed)).links
    (save,) = [each for each in links if "/saved-views/-/save" in each]
    form = read(await owner.get(save)).fields
    assert (form["list"], form["query"]) == ("invoices", "status=draft&sort=createdAt")
    saved = await owner.press(
        save.removeprefix(f"/console/{org.id}"), name="Old <drafts>", shared="false"
    )
    assert (saved.status, saved.headers["location"]) == (303, f"/console/{org.id}{narrowed}")
    shown = await owner.see("/invoices")
    assert f"{place}?status=draft&sort=createdAt" in read(shown).links
    assert "Old <drafts>" in text_of(shown)
    assert b"Old <drafts>" not in shown.body
    here = await owner.see(narrowed)
    assert not [each for each in read(here).links if "/saved-views/-/save" in each]
    assert b'aria-current="page">Old' in here.body
    assert b"Old" not in (await owner.see("/payments")).body


async def test_a_view_is_renamed_and_removed(org: Org, owner: Browser) -> None:
    # From the list of one's views, which leads to each; the list itself stays.
    typed = {"name": "Drafts", "list": "invoices", "query": "status=draft"}
    await owner.press("/saved-views/-/save", **typed)
    links = read(await owner.see("/saved-views?list=invoices")).links
    view = next(each for each in links if "/saved-views/view_" in each)
    place = view.removeprefix(f"/console/{org.id}")
    assert f"/console/{org.id}/invoices?status=draft" in read(await owner.get(view)).links
    renamed = await owner.press(f"{place}/edit", name="Not sent yet")
    assert renamed.headers["location"] == f"/console/{org.id}/invoices?status=draft"
    assert "Not sent yet" in text_of(await owner.see("/invoices"))
    assert (await owner.press(f"{place}/remove")).status == 303
    assert "Not sent yet" not in text_of(await owner.see("/invoices"))


async def test_whose_views_stand_there(stage: Stage) -> None:
    # A viewer's own, and what others share; not what others keep to themselves.
    owner, viewer = stage.owner, stage.browsers[Role.VIEWER]
    for name, shared in (("Kept back", "false"), ("For everybody", "true")):
        typed = {"name": name, "list": "refunds", "query": "sort=createdAt", "shared": shared}
        assert (await owner.press("/saved-views/-/save", **typed)).status == 303
    typed = {"name": "Of a viewer", "list": "refunds", "query": ""}
    assert (await viewer.press("/saved-views/-/save", **typed)).status == 303
    shown = text_of(await viewer.see("/refunds"))
    assert "For everybody" in shown
    assert "Of a viewer" in shown
    assert "Kept back" not in shown
    assert "Of a viewer" not in text_of(await owner.see("/refunds"))


async def test_the_file_is_the_list(org: Org, owner: Browser) -> None:
    # Its link carries the filters and the order of the page, and its rows are those of the page.
    for query in ("", "?status=draft", "?status=draft&sort=createdAt", "?sort=createdAt"):
        page = read(await owner.see(f"/invoices{query}"))
        (link,) = [each for each in page.links if "/-/csv" in each]
        assert parse_qs(urlsplit(link).query) == parse_qs(query.removeprefix("?"))
        ids = [row["id"] for row in _rows(await owner.get(link))]
        prefix = f"/console/{org.id}/invoices/"
        listed = [each.removeprefix(prefix) for each in page.links if f"{prefix}inv_" in each]
        assert ids == list(dict.fromkeys(listed)), query
    assert len(_rows(await owner.see("/invoices/-/csv?status=draft"))) == 3
    assert len(_rows(await owner.see("/invoices/-/csv"))) == 4


async def test_the_file_goes_on_after_the_page(
    org: Org, owner: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It has every piece of the list; one that is too long ends, and its name says where.
    monkeypatch.setattr(exports, "_PIECE", 2)
    whole = await owner.see("/invoices/-/csv")
    assert whole.headers["content-disposition"] == 'attachment; filename="invoices.csv"'
    assert len({row["id"] for row in _rows(whole)}) == 4
    monkeypatch.setattr(exports, "ROWS_MAX", 3)
    cut = await owner.see("/invoices/-/csv")
    assert cut.headers["content-disposition"] == 'attachment; filename="invoices-first-3.csv"'
    assert [row["id"] for row in _rows(cut)] == [row["id"] for row in _rows(whole)][:3]


@pytest.mark.parametrize("noun", LISTED, ids=lambda noun: noun.slug)
async def test_every_list_is_exported(noun: Noun, stage: Stage) -> None:
    # Whoever may see a list may take it along, and nobody else.
    for role in (Role.OWNER, Role.VIEWER):
        browser = stage.browsers[role]
        page = await browser.see(f"/{noun.slug}")
        file = await browser.see(f"/{noun.slug}/-/csv")
        assert file.status == page.status, noun.slug
        if page.status == 200:
            assert f"/console/{stage.org.id}/{noun.slug}/-/csv" in read(page).links
            assert file.headers["content-type"] == "text/csv; charset=utf-8"
