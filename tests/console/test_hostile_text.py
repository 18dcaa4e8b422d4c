"""What people type is shown as they typed it, and never runs; headers keep pages to themselves."""

import json
import re

import pytest
from tests.api.client import Response
from tests.console.browser import read
from tests.console.conftest import Stage
from tests.support.world import World

from bursar.api.guard import SECURITY_HEADERS
from bursar.console.assets import PATHS
from bursar.console.nouns.every import BY_SLUG, NOUNS
from bursar.runtime.ids import new_uuid

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "{{ 7 * 7 }}",
    "{% for x in () %}",
    "<a href='https://elsewhere.example'>x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<style>*{display:none}</style>",
    "<base href='https://elsewhere.example'>",
    "<form action='https://elsewhere.example'>",
    "\u202egnirts\u202c",
)
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


@pytest.fixture(scope="module")
async def places(stage: Stage) -> list[str]:
    """Pages on which each of the texts stands, in every field that takes it."""
    client = stage.owner.client.bearing(stage.org.access_token, stage.org.id)
    found = []
    for at, text in enumerate(HOSTILE):
        customer = await client.post(
            "/v1/customers",
            {
                "email": f"h{at}@example.com",
                "name": text,
                "metadata": {"note": text},
                "address": {"line1": text, "city": text, "country": "DE"},
            },
            x_audit_reason=text.encode().decode("latin-1"),
        )
        assert customer.status == 201, customer.body
        lines = [{"description": text, "quantity": 1, "unitAmountCents": 100}]
        body = {"customerId": customer.value["id"], "lines": lines, "memo": text}
        invoice = await client.post("/v1/invoices", body)
        assert invoice.status == 201, invoice.body
        plan = await client.post(
            "/v1/plans",
            {
                "name": text,
                "description": text,
                "pricingModel": "flat_rate",
                "billingInterval": "month",
                "amountCents": 100,
            },
        )
        assert plan.status == 201, plan.body
        found += [
            f"/customers/{customer.value['id']}",
            f"/customers/{customer.value['id']}/edit",
            f"/invoices/{invoice.value['id']}",
            f"/invoices/{invoice.value['id']}/edit",
            f"/plans/{plan.value['id']}/edit",
        ]
    return found


async def _others(stage: Stage) -> list[str]:
    """Pages of every other noun that keeps a text, with as many of the texts as fit in each."""
    client = stage.owner.client.bearing(stage.org.access_token, stage.org.id)
    things = stage.things.by_prefix
    short, long = " ".join(HOSTILE)[:100], " ".join(HOSTILE)[:480]
    noted = {"metadata": {"note": long}}
    lines = [{"description": long, "quantity": 1, "unitAmountCents": 100}]
    made = (
        ("/v1/wallets", "wallets", {"name": short, **noted}),
        ("/v1/coupons", "coupons", {"name": short, "duration": "once", "percentOff": "5", **noted}),
        ("/v1/tax-rates", "tax-rates", {"name": short, "percentage": "5", "note": short, **noted}),
        (
            "/v1/meters",
            "meters",
            {"name": short, "key": f"k{new_uuid().hex}", "aggregation": "sum"},
        ),
        ("/v1/api-keys", "api-keys", {"name": short, "scopes": ["billing:read"]}),
        (
            "/v1/webhook-subscriptions",
            "webhooks",
            {"url": "https://example.com/x", "eventTypes": ["*"], "description": short},
        ),
        (
            "/v1/recurring-invoices",
            "recurring-invoices",
            {"customerId": things["cust"], "lines": lines, "interval": "month", "memo": short},
        ),
        (
            f"/v1/wallets/{things['wal']}/holds",
            "holds",
            {"amountCents": 1, "description": short},
        ),
    )
    found = []
    for path, slug, body in made:
        answer = await client.post(path, body, x_audit_reason=short.encode().decode("latin-1"))
        assert answer.status == 201, (path, answer.body)
        found.append(f"/{slug}/{answer.value['id']}")
    return found


async def test_text_of_every_noun(stage: Stage) -> None:
    # Wherever a text is kept, its own page, its list and its buttons' pages show it as text.
    for place in await _others(stage):
        noun = BY_SLUG[place.split("/")[1]]
        edits = [f"{place}/{deed.slug}" for deed in noun.deeds if deed.is_edit]
        for each in (place, f"/{noun.slug}", *edits):
            answer = await stage.owner.see(each)
            assert answer.status == 200, (each, answer.body)
            harmless(answer)
    for each in ("", "/analytics", "/audit", "/events", "/search?q=%3Cscript%3E"):
        harmless(await stage.owner.see(each))


async def test_stored_text(places: list[str], stage: Stage) -> None:
    # On every page of things whose every field is an attack, nothing is added to the page.
    for place in places:
        answer = await stage.owner.see(place)
        assert answer.status == 200, (place, answer.body)
        harmless(answer)


@pytest.mark.parametrize("text", HOSTILE)
async def test_given_text(text: str, stage: Stage) -> None:
    # What stands in the address or in a form comes back as text.
    for name in ("q", "nonsense"):
        answer = await stage.owner.get(
            f"/console/{stage.org.id}/invoices?{name}=" + json.dumps(text)[1:-1].replace(" ", "+")
        )
        assert answer.status in {200, 400}
        harmless(answer)
    harmless(await stage.owner.press("/customers/-/create", email=text, name=text))


async def test_every_list(places: list[str], stage: Stage) -> None:
    # Every list is small, ours, and kept to itself by its headers.
    assert places
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
