"""`/v1/imports`: everybody comes once, with what they have, and the books know."""

import asyncio
from typing import Any

from tests.api.client import Client
from tests.support.world import Org, World

from bursar.reads.verify import checks

CUSTOMERS = "/v1/imports/customers"
BALANCES = "/v1/imports/opening-balances"
FILE = "reference,email,name\nA-1,ada@example.com,Ada\nB-2,bob@example.com,Bob\nC-3,nobody,Eve\n"
HELD = "reference,amountCents,currency\nA-1,2500,\nB-2,100,eur\nD-4,1,\n"


def counts(made: Any) -> tuple[int, int, int]:
    return made["createdCount"], made["unchangedCount"], made["failedCount"]


async def test_a_file_of_customers_comes_once(owner: Client, world: World, org: Org) -> None:
    # A dry run makes nothing; the same again makes nothing; a row that changed is named.
    dry = await owner.post(f"{CUSTOMERS}?dryRun=true", {"content": FILE})
    assert counts(dry.value) == (2, 0, 1), dry.body
    assert (await owner.get("/v1/customers")).value == []
    made = await owner.post(CUSTOMERS, {"content": FILE})
    assert (made.status, counts(made.value)) == (201, (2, 0, 1)), made.body
    assert [(each["row"], each["field"]) for each in made.value["faults"]] == [(3, "email")]
    assert (await owner.get(made.headers["location"])).value == made.value
    again = await owner.post(CUSTOMERS, {"content": FILE.replace("Bob\n", "Rob\n")})
    assert counts(again.value) == (0, 1, 2)
    codes = [(each["row"], each["code"]) for each in again.value["faults"]]
    assert codes == [(2, "imported_otherwise"), (3, "malformed")]
    listed = await owner.get("/v1/customers")
    assert {each["name"] for each in listed.value} == {"Ada", "Bob"}
    await world.drain()
    assert {each["name"] for each in (await owner.get("/v1/customers")).value} == {"Ada", "Bob"}
    kinds = await owner.get("/v1/imports?kind=opening_balances")
    assert kinds.value == []


async def test_a_balance_is_credit_once_and_booked(owner: Client, world: World, org: Org) -> None:
    # Against the outside world; who is not there, or pays in something else, is named.
    await owner.post(CUSTOMERS, {"content": FILE})
    first = await owner.post(BALANCES, {"content": HELD})
    assert counts(first.value) == (1, 0, 2), first.body
    found = [(each["row"], each["field"]) for each in first.value["faults"]]
    assert found == [(2, "currency"), (3, "reference")]
    again = await owner.post(BALANCES, {"content": HELD.replace("2500", "2501")})
    assert counts(again.value) == (0, 0, 3)
    same = await owner.post(BALANCES, {"content": HELD})
    assert counts(same.value) == (0, 1, 2)
    listed = (await owner.get("/v1/customers")).value
    ada = next(each["id"] for each in listed if each["name"] == "Ada")
    credit = await owner.get(f"/v1/customers/{ada}/credit-balance")
    assert credit.value["balanceCents"] == 2500, credit.body
    agreed = await world.operator(org.id).look(checks)
    assert [(each.name, each.offenders) for each in agreed if not each.is_good] == []


async def test_many_at_once_bring_everybody_once(owner: Client, org: Org) -> None:
    # The same file from four sides: each row made something once.
    rows = "".join(f"R-{n},r{n}@example.com,R{n}\n" for n in range(20))
    body = {"content": f"reference,email,name\n{rows}"}
    answers = await asyncio.gather(*(owner.post(CUSTOMERS, body) for _ in range(4)))
    assert sum(each.value["createdCount"] for each in answers) == 20
    balances = "".join(f"R-{n},{n + 1}\n" for n in range(20))
    body = {"content": f"reference,amountCents\n{balances}"}
    answers = await asyncio.gather(*(owner.post(BALANCES, body) for _ in range(4)))
    assert sum(each.value["createdCount"] for each in answers) == 20
