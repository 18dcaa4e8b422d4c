"""What a list says for programs gives what the list shows: by curl, and at the command line."""

import re
import shlex
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.cli.conftest import Terminal, seated
from tests.console.conftest import Stage
from tests.support.world import World

from bursar.api.routes import ID_PREFIXES
from bursar.console.asking import BY_NAME
from bursar.console.nouns.every import BY_SLUG, NOUNS
from bursar.console.nouns.shape import Noun
from bursar.console.recipes import command_of
from bursar.domain.ids import print_id
from bursar.runtime.ids import new_uuid

LONG_AGO, SOME_DAY = "2020-01-01", "2090-01-01"
LISTED = [noun for noun in NOUNS if noun.rows and noun.command and not noun.aside]
MATCHING = {
    "q": "a",
    "currency": "usd",
    "type": "customer.created,invoice.created",
    "resourceType": "customer",
    "action": "customer.created",
    "account": "revenue",
    "createdAt[gte]": LONG_AGO,
    "createdAt[lt]": SOME_DAY,
    "at": "2090-01-01T12:30:15.250Z",
}
MATCHING_NOTHING = {
    "q": "nothing is called so",
    "email": "nobody@example.com",
    "key": "nothing_is_called_so",
    "currency": "eur",
    "type": "plan.archived",
    "resourceType": "nothing",
    "actor": "nobody",
    "action": "nothing",
    "sourceId": "nothing",
    "account": "nothing",
    "createdAt[gte]": "2090-01-01T00:00:00+00:00",
    "createdAt[lt]": "2020-01-01T00:00:00+00:00",
}


@pytest.fixture
def terminal(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """The command line of the same installation."""
    yield from seated(world, monkeypatch)


def prefix_of(name: str) -> str:
    """Of the ids that a filter takes, if it takes ids."""
    if name.endswith("WalletId"):
        return "wal"
    return "cust" if name == "resourceId" else ID_PREFIXES.get(name, "")


def matching(noun: Noun, stage: Stage) -> dict[str, str]:
    """All filters of a list at once, and the order it does not have by itself."""
    query = {"sort": "createdAt"} if _is_sorted(noun) else {}
    for each in noun.filters:
        if each.choices:
            query[each.name] = ",".join(each.choices[: 2 if each.name == "status" else 1])
        elif prefix := prefix_of(each.name):
            query[each.name] = stage.things.by_prefix[prefix]
        elif each.name in MATCHING:
            query[each.name] = MATCHING[each.name]
    return query


def _is_sorted(noun: Noun) -> bool:
    return "sort" in BY_NAME[noun.rows].terms.query.__struct_encode_fields__


async def _said(stage: Stage, slug: str, **query: str) -> list[str]:
    shown = await stage.owner.see(f"/{slug}?{urlencode(query)}")
    assert shown.status == 200, (slug, query, shown.body[-900:])
    page = shown.body.decode().partition('class="recipes"')[2]
    return [unescape(each) for each in re.findall("<code>(.*?)</code>", page, re.DOTALL)]


def _named(rows: Any) -> list[Any]:
    return [each.get("id") or each.get("invoiceId") or each for each in rows]


@pytest.mark.parametrize("noun", LISTED, ids=lambda noun: noun.slug)
async def test_commands_show_what_the_page_shows(
    noun: Noun, stage: Stage, terminal: Terminal
) -> None:
    # As it is, and narrowed by everything and turned around: curl and the command line answer
    # the same, row by row.
    token = {"authorization": f"Bearer {stage.org.access_token}", "x_org_id": stage.org.id}
    for query in {}, matching(noun, stage):
        curl, command = await _said(stage, noun.slug, **query)
        asked = urlsplit(shlex.split(curl)[1])
        told = await stage.owner.client.get(f"{asked.path}?{asked.query}", **token)
        assert told.status == 200, (curl, told.body)
        words = shlex.split(command)
        assert (words[0], words[-2:]) == ("bursar", ["--org", stage.org.id])
        shown = await terminal.run(*words[1:], "--format", "json")
        assert shown.code == 0, (command, shown.err)
        assert _named(shown.value) == _named(told.value), (query, command)
        assert shown.value or query or noun.slug in {"dunning", "emails"}, "there is something"


FILTERS = [(noun, each.name) for noun in LISTED for each in noun.filters]


@pytest.mark.parametrize(
    ("noun", "name"),
    [each for each in FILTERS if each[1] in MATCHING_NOTHING or prefix_of(each[1])],
    ids=lambda each: each if isinstance(each, str) else each.slug,
)
async def test_each_filter_counts(noun: Noun, name: str, stage: Stage, terminal: Terminal) -> None:
    # Narrowed by what nobody has, the command of a list shows nothing.
    prefix = prefix_of(name)
    value = print_id(prefix, new_uuid()) if prefix else MATCHING_NOTHING[name]
    words = shlex.split(command_of(noun, {name: value}))
    shown = await terminal.run(*words[1:], "--org", stage.org.id)
    assert (shown.code, shown.value) == (0, []), (words, shown.err)


async def test_the_rest_of_a_list_is_no_command(stage: Stage) -> None:
    # Where the command line cannot do what the page does, or does more, the page says so.
    shown = (await stage.owner.see("/events")).body.decode()
    assert "from the first row on" not in shown
    way = re.search(r'rel="next" href="([^"]*)"', shown)
    assert way is not None
    later = await stage.owner.get(unescape(way[1]))
    assert "from the first row on" in later.body.decode()
    differences = await stage.owner.see("/reconciliation")
    assert BY_SLUG["reconciliation"].aside in unescape(differences.body.decode())


async def test_hostile_filters_are_one_word(stage: Stage) -> None:
    # What stands in the address is quoted for a shell: it stays one argument.
    text = "'; rm -rf / #$(reboot)`halt`"
    curl, command = await _said(stage, "customers", q=text)
    assert text in shlex.split(command)
    assert len(shlex.split(curl)) == 4
