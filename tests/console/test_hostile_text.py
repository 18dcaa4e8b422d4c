"""What people type is shown as they typed it, and never runs; headers keep pages to themselves."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.api.apart.test_every_write import Path, changed, resolved, shown, texts_of
from tests.api.client import Client, Response
from tests.api.operations import OPERATIONS, Operation
from tests.api.people import Things, things_of
from tests.console.browser import Browser, read, signed_in, text_of
from tests.console.conftest import Stage
from tests.support.hostile import BREAKOUT, CORPUS
from tests.support.world import World

from bursar.api.guard import SECURITY_HEADERS
from bursar.console.assets import PATHS
from bursar.console.nouns.every import BY_PREFIX, NOUNS

OURS = {
    *("html", "head", "meta", "title", "link", "body", "a", "header", "details", "summary", "span"),
    *(
        "ul",
        "li",
        "small",
        "form",
        "label",
        "input",
        "button",
        "div",
        "main",
        "p",
        "h1",
        "h2",
        "h3",
    ),
    *("section", "dl", "dt", "dd", "table", "thead", "tbody", "tr", "th", "td", "nav", "code"),
    *("pre", "time", "select", "option", "textarea", "fieldset", "legend", "ol", "strong", "del"),
    *("h3", "ins", "datalist", "svg", "line", "rect", "figure", "figcaption"),
}


def harmless(answer: Response) -> None:
    """Only elements of ours, nothing that runs or loads, and nobody else's addresses."""
    page = read(answer)
    tags = set(page.tags)
    if page.scripts:
        assert page.scripts <= set(PATHS.values()), page.scripts
        assert page.tags.count("script") == len(page.scripts), "each is a file of ours"
        tags.remove("script")
    assert tags <= OURS, tags - OURS
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert not [
        link for link in page.links if not link.startswith(("/console", "#", "http://localhost"))
    ]
    told = re.sub(r"<textarea.*?</textarea>", "", answer.body.decode(), flags=re.DOTALL)
    assert "\u202e" not in re.sub(r"<[^>]*>", "", told), "only a field keeps it as it is"


CANDIDATES = (
    'https://example.com/"><svg/onload=alert(1)>',
    "'{{7*7}}'&lt@example.com",
    "'-alert(1)-'",
)
STORED = {200, 201, 202, 204}
ELSEWHERE = {
    "POST /v1/dunning/{invoiceId}/pause": "nobody is in dunning here: its page has a journey",
}
_DISCOUNT = {"name": "Friends", "percentOff": "5"}
_LINE = {"description": "Hours", "unitAmountCents": 100, "discounts": [_DISCOUNT]}
_CHARGE = {
    "name": "Calls",
    "meterId": "mtr_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c",
    "pricingModel": "per_unit",
    "amountCents": 100,
}
ROOM = 500  # of what says of no field how much it holds


@dataclass(frozen=True)
class Poison:
    """A text that a field takes, and the field."""

    place: Path
    text: str


def texts(schema: dict[str, Any], place: Path = (), turn: int = 0) -> Iterator[Poison]:
    """Every field of a body that takes such texts, with as much of the corpus as fits in it.

    Which part of it is the turn of this field: all of them together hold all of it.
    """
    for at, way in enumerate(texts_of(schema, place)):
        kind = _kind(schema, way)
        room = kind.get("maxLength", ROOM)
        pieces = [BREAKOUT]
        for each in CORPUS[(turn + at) * 7 % len(CORPUS) :] + CORPUS:
            if len(" ".join([*pieces, each])) <= room:
                pieces.append(each)
        for text in (" ".join(pieces), " ".join(pieces).replace("\t", " "), *CANDIDATES):
            if "enum" not in kind and len(text) <= room and _fits(kind, text):
                yield Poison(way, text)
                break


def _fits(kind: dict[str, Any], text: str) -> bool:
    return "format" not in kind and re.search(kind.get("pattern", ""), text) is not None


def _kind(schema: dict[str, Any], place: Path) -> dict[str, Any]:
    """The schema of a field."""
    found = resolved(schema)
    for step in place:
        if isinstance(step, int):
            found = resolved(found["items"])
        else:
            found = resolved(found.get("properties", {}).get(step) or found["additionalProperties"])
    return found


@dataclass(frozen=True)
class House:
    """An organization in which every text is an attack."""

    owner: Browser
    client: Client
    things: Things
    ids: list[str]  # of whatever there is to look at
    refused: dict[str, Response]


@pytest.fixture(scope="module")
async def poisoned(world: World, anyone: Client) -> House:
    """Every route that takes a text is brought one in every field, through the API."""
    org = await world.org()
    things = await things_of(org)
    client = anyone.bearing(org.access_token, org.id)
    owner = signed_in(world.app, anyone, org.access_token, org.id)
    made = House(owner, client, things, list(things.by_prefix.values()), {})
    goal = (await org.wallet()).id
    for turn, operation in enumerate(POISONED):
        if operation.path.endswith("/erase"):
            things.by_prefix["cust"] = (await org.customer(None)).id
        answer = await _brought(made, operation, turn, {"toWalletId": goal})
        if answer.status not in STORED:
            made.refused[str(operation)] = answer
        elif answer.body and isinstance(answer.value, dict) and "id" in answer.value:
            await _remembered(made, operation, answer.value["id"])
    return made


async def _remembered(house: House, operation: Operation, made: str) -> None:
    """What was made is looked at; an invoice is final from then on, and others are about it."""
    house.ids.append(made)
    if operation.path == "/v1/plans":
        house.things.by_prefix["plan"] = made
    if operation.path == "/v1/invoices":
        house.things.by_prefix["inv"] = made
        final = await house.client.post(f"/v1/invoices/{made}/finalize", {})
        assert final.status == 200, final.body


async def _brought(house: House, operation: Operation, turn: int, more: dict[str, str]) -> Response:
    """One request with every field poisoned but those whose own rules refuse it by name."""
    schema = _schema(operation)
    poisons = {shown(each.place): each for each in texts(schema, turn=turn)}
    said = CORPUS[turn % len(CORPUS)]
    reason = f"{BREAKOUT} {said}" if said.isascii() and said.isprintable() else BREAKOUT
    while True:
        body = house.things.fill(_example(operation))
        body |= {name: more[name] for name in more if name in body}
        for each in poisons.values():
            body = changed(body, each.place, each.text)
        answer = await house.client.ask(
            operation.method,
            operation.filled_path(house.things),
            body,
            headers={"x-audit-reason": reason},
        )
        named = answer.fields & poisons.keys() if answer.status == 400 else set()
        if not named:
            return answer
        poisons = {name: each for name, each in poisons.items() if name not in named}


def _amended(now: datetime) -> dict[str, dict[str, Any]]:
    """Where an example is of its own time, or leaves out what has a text; None takes away.

    The time is that of asking: what began on the day of a test lies after the day before it.
    """
    soon = (now + timedelta(days=1)).isoformat()
    return {
        "PATCH /v1/invoices/{invoiceId}": {"lines": [_LINE], "discounts": [_DISCOUNT]},
        "POST /v1/invoices": {"lines": [_LINE], "discounts": [_DISCOUNT], "dueDate": None},
        "PATCH /v1/plans/{planId}": {"charges": [_CHARGE]},
        "POST /v1/plans": {"charges": [_CHARGE]},
        "PATCH /v1/recurring-invoices/{recurringInvoiceId}": {"endDate": None},
        "POST /v1/recurring-invoices": {"startDate": soon, "endDate": None},
        "POST /v1/api-keys": {"expiresAt": None},
        "POST /v1/payment-methods/set-up": {"returnUrl": "http://localhost:3000/console"},
        "POST /v1/tax-rates": {"category": None},
        "POST /v1/credit-notes": {"lines": None, "amountCents": 5},
        "POST /v1/transactions": {"amountCents": 1},
        "POST /v1/usage": {"timestamp": now.isoformat()},
        "POST /v1/wallets/{walletId}/holds": {"expiresAt": None},
    }


def _example(operation: Operation) -> dict[str, Any]:
    """The documented example, as it can be asked for today."""
    body = operation.body | _amended(datetime.now(UTC)).get(str(operation), {})
    return {name: value for name, value in body.items() if value is not None}


def _schema(operation: Operation) -> dict[str, Any]:
    content = operation.described["requestBody"]["content"]
    found: dict[str, Any] = content["application/json"]["schema"]
    return found


def _is_free(operation: Operation) -> bool:
    return operation.body is not None and any(texts(_schema(operation)))


# What is there is changed before it is acted upon, and what is made is made in between.
POISONED = sorted(
    (each for each in OPERATIONS if each.audience in {"org", "path_org"} and _is_free(each)),
    key=lambda each: (
        each.path.endswith("/erase"),
        str(each) != "POST /v1/plans",
        each.method != "PATCH",
        each.path != "/v1/invoices",
        each.path.count("{"),
        each.path,
    ),
)


def test_the_corpus_is_whole() -> None:
    # As many as were promised, each once; and all of them are brought to some field.
    assert (len(CORPUS), len(set(CORPUS))) == (80, 80)
    told = [
        poison.text for at, each in enumerate(POISONED) for poison in texts(_schema(each), turn=at)
    ]
    assert [text for text in CORPUS if not any(text in each for each in told)] == []


async def test_every_field_is_brought_one(poisoned: House) -> None:
    # A new route with a text is found by itself; what refuses it is known, with its reason.
    assert poisoned.refused.keys() == ELSEWHERE.keys(), "\n".join(
        f"{name}: {answer.body.decode()}" for name, answer in poisoned.refused.items()
    )


async def test_pages_of_things(poisoned: House) -> None:
    # Whatever there is shows them as text: its page, its forms, its lists, why it costs so much.
    shown_on = 0
    known = {f"/{noun.slug}" for noun in NOUNS if noun.rows}
    waiting = list(_places(poisoned.ids))
    for place in waiting:
        answer = await poisoned.owner.see(place)
        assert answer.status in {200, 404, 409}, (place, answer.body[-900:])
        harmless(answer)
        shown_on += "</title></textarea>" in text_of(answer)
        if place in known:
            waiting += _newest(poisoned, answer, place)
    assert shown_on > len(POISONED)


def _newest(house: House, answer: Response, place: str) -> list[str]:
    """The first things that a list leads to, events among them."""
    root = f"/console/{house.owner.org_id}"
    led = [each.removeprefix(root) for each in read(answer).links if each.startswith(root + place)]
    return [each for each in dict.fromkeys(led) if each.count("/") == 2 and "?" not in each][:8]


def _places(ids: list[str]) -> Iterator[str]:
    """Every page there is: lists, forms, things, their forms and their lists."""
    for noun in NOUNS:
        if noun.rows or noun.is_single:
            yield f"/{noun.slug}"
        yield from (f"/{noun.slug}/-/{deed.slug}" for deed in noun.makes)
        if noun.is_single:
            yield from (f"/{noun.slug}/-/{deed.slug}" for deed in noun.deeds)
    for each in ids:
        kind = BY_PREFIX.get(each.partition("_")[0])
        if kind is None:
            continue
        place = f"/{kind.slug}/{each}"
        yield place
        yield from (f"{place}/{deed.slug}" for deed in kind.deeds)
        yield from (f"{place}/parts/{part.slug}" for part in kind.parts if part.has_page)
        if kind.slug == "invoices":
            yield f"{place}/explain"


async def test_the_page_of_a_customer(poisoned: House) -> None:
    # What a customer opens from a letter shows the same texts, and is as harmless.
    invoice = await poisoned.client.get(f"/v1/invoices/{poisoned.things.by_prefix['inv']}")
    path = urlsplit(invoice.value["hostedInvoiceUrl"]).path
    answer = await poisoned.owner.client.get(path)
    page = read(answer)
    assert answer.status == 200, answer.body
    assert "</title></textarea>" in text_of(answer)
    assert not {"svg", "img", "iframe", "object", "style", "base"} & set(page.tags)
    assert not [name for name in page.attributes if name.startswith("on") or name == "style"]
    assert not [
        link for link in page.links if not link.startswith(("/i/", "#", "http://localhost"))
    ]


async def test_pages_of_none(poisoned: House) -> None:
    # Home, figures and findings, too.
    for place in ("", "/analytics", "/search?q=script", "/search?q=%3Csvg", "/search?q=onerror"):
        answer = await poisoned.owner.see(place)
        assert answer.status == 200, (place, answer.body)
        harmless(answer)


@pytest.mark.parametrize("text", CORPUS)
async def test_given_text(text: str, stage: Stage) -> None:
    # What stands in the address or in a form comes back as text.
    for name in ("q", "nonsense"):
        answer = await stage.owner.get(
            f"/console/{stage.org.id}/invoices?{name}=" + json.dumps(text)[1:-1].replace(" ", "+")
        )
        assert answer.status in {200, 400}
        harmless(answer)
    harmless(await stage.owner.press("/customers/-/create", email=text, name=text))


async def test_every_list(stage: Stage) -> None:
    # Every list is small, ours, and kept to itself by its headers.
    expected = dict(SECURITY_HEADERS)
    for noun in NOUNS:
        if not (noun.rows or noun.is_single):
            continue
        answer = await stage.owner.see(f"/{noun.slug}")
        harmless(answer)
        assert len(answer.body) < 60_000, (noun.slug, len(answer.body))
        told = answer.headers
        policy = told["content-security-policy"]
        for said in ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert said in policy
        assert "unsafe" not in policy
        for name in ("x-content-type-options", "cache-control", "x-frame-options"):
            assert told[name] == expected[name]


async def test_neighbors_see_nothing(world: World, stage: Stage) -> None:
    # Another organization's pages and things are like none at all.
    neighbor = await world.org()
    customer = await neighbor.customer(None)
    assert (await stage.owner.get(f"/console/{neighbor.id}")).status == 404
    assert (await stage.owner.get(f"/console/{neighbor.id}/customers")).status == 404
    assert (await stage.owner.see(f"/customers/{customer.id}")).status == 404
    assert (await stage.owner.see(f"/customers/{customer.id}/edit")).status == 404
    found = await stage.owner.see(f"/search?q={customer.id}")
    assert (await stage.owner.get(found.headers["location"])).status == 404
