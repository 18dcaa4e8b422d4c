"""The console's lists, filters and searches over 100,000 invoices and a million events.

Every list page, every state it filters by, and searches that find little or nothing are opened
over HTTP as a browser opens them. The limit is what nobody waits for: 150 ms; ours is the slowest
page of a round. The median of each page is printed, slowest first, and stands in the result.
"""

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import aiohttp

from bench.place import Place, bursar_server, free_port, open_place, serving
from bench.report import Result, Round, Target, judged
from bench.sides import Effort
from bench.stage import PASSWORD, post, uuid_in
from bursar.console.nouns.every import NOUNS

NAME: Final = "console_lists"
TARGET: Final = Target(must=1, goal=0.5, is_most=True)
INVOICES_MIN: Final = 1_000
LIMIT_MS: Final = 150.0
_EMAIL: Final = "olga@example.com"
_HISTORY: Final = Path(__file__).with_name("console_lists.sql")
_PLAN: Final = {
    "name": "Team",
    "pricingModel": "flat_rate",
    "billingInterval": "month",
    "amountCents": 4900,
}
_SOUGHT: Final = (
    "/search?q=Customer+77",
    "/search?q=nobody+is+called+so",
    "/customers?q=customer+99",
    "/customers?q=nobody",
    "/customers?email=c77@example.com",
    "/invoices?q=00077",
    "/invoices?q=nothing",
    "/invoices?createdAt[gte]=2026-01-01&createdAt[lt]=2026-01-02",
    "/payments?createdAt[gte]=2026-01-01&createdAt[lt]=2026-01-02",
    "/audit?createdAt[gte]=2026-01-01&createdAt[lt]=2026-01-02",
    "/events?type=customer.updated",
)


async def bench(effort: Effort) -> Result:
    """Measure it."""
    port, rows = free_port(), max(effort.history, INVOICES_MIN)
    jar = aiohttp.CookieJar(unsafe=True)  # keeps those of an address without a name
    async with open_place() as place:
        command, environment = bursar_server(place, port)
        log = place.folder / "ours.log"
        async with (
            serving(command, environment, port=port, log=log),
            aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=jar) as session,
        ):
            org_id = await _organization(session)
            await _live(place, org_id, rows)
            await _sign_in(session)
            seen = await _measured(session, f"/console/{org_id}", effort.rounds)
        postgres = await place.shown_settings()
    medians = {page: round(statistics.median(times), 1) for page, times in seen.items()}
    slowest = sorted(medians.items(), key=lambda each: -each[1])
    rounds = [Round(ours=max(times), limit=LIMIT_MS) for times in zip(*seen.values(), strict=True)]
    result = judged(NAME, TARGET, rounds, unit="ms, slowest page", broken=[])
    result.settings.update(effort.shown(), invoices=rows, customers=rows // 5, events=rows * 10)
    result.settings.update(postgres=postgres)
    result.detail.update(medians_ms=dict(slowest))
    for page, median in slowest:
        print(f"{median:8.1f} ms  {page}")
    return result


def pages() -> list[str]:
    """What is opened: home, every list, every list in each of its states, and what is sought."""
    listed = [noun for noun in NOUNS if noun.rows or noun.is_single]
    states = [
        f"/{noun.slug}?{each.name}={choice}"
        for noun in listed
        for each in noun.filters
        for choice in each.choices
    ]
    return ["", "/analytics", *(f"/{noun.slug}" for noun in listed), *states, *_SOUGHT]


async def _organization(session: aiohttp.ClientSession) -> str:
    """One with a plan, whose event is the pattern of the others."""
    person = {"email": _EMAIL, "password": PASSWORD, "name": "Olga", "organizationName": "Bench"}
    signed = await post(session, "/v1/auth/register", person, {})
    org_id: str = signed["organization"]["id"]
    owner = {"Authorization": f"Bearer {signed['accessToken']}", "x-org-id": org_id}
    await post(session, "/v1/plans", _PLAN, owner)
    return org_id


async def _live(place: Place, org_id: str, rows: int) -> None:
    text = _HISTORY.read_text("utf-8")
    told: Mapping[str, str] = {"{org}": str(uuid_in(org_id)), "{rows}": str(rows)}
    for name, value in told.items():
        text = text.replace(name, value)
    async with place.superuser() as connection:
        for statement in text.split(";\n"):
            if statement.strip():
                await connection.execute(statement, timeout=900)


async def _sign_in(session: aiohttp.ClientSession) -> None:
    """The session keeps the cookie, as a browser would."""
    typed = {"email": _EMAIL, "password": PASSWORD}
    own = {"Sec-Fetch-Site": "same-origin"}
    async with session.post("/console/sign-in", data=typed, headers=own) as answer:
        if answer.status != 200 or "Sign in" in await answer.text():
            raise RuntimeError(f"nobody is signed in: {answer.status}")


async def _measured(
    session: aiohttp.ClientSession, root: str, rounds: int
) -> dict[str, list[float]]:
    """How long each page took each time, in milliseconds; the first time does not count."""
    seen: dict[str, list[float]] = {page: [] for page in pages()}
    for number in range(rounds + 1):
        for page, times in seen.items():
            took = await _opened(session, root + page)
            if number:
                times.append(took)
    return seen


async def _opened(session: aiohttp.ClientSession, page: str) -> float:
    begun = time.perf_counter()
    async with session.get(page) as answer:
        told = await answer.read()
        took = 1000 * (time.perf_counter() - begun)
    if answer.status != 200:
        raise RuntimeError(f"{page}: {answer.status} {told[-600:]!r}")
    return took
