"""What both sides stand on before anything is measured: an organization, its key, and a history.

The organization is made over the API, as anybody makes one. The history belongs to another one and
is written by SQL, so that indexes have the depth of a system that has been used.
"""

import secrets
import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from bench.place import Place
from bursar.domain.access import System
from bursar.domain.ids import OrgId, parse_id
from bursar.main import build
from bursar.reads.verify import checks
from bursar.runtime.app import Caller

CUSTOMERS = 100
PASSWORD = "Correct-horse-7-battery"
LINES = (("Platform, annual", 1, 120_000), ("Seats", 12, 4_900), ("Onboarding", 3, 25_050))
TOTAL_CENTS = sum(quantity * cents for _, quantity, cents in LINES)

# Written as the superuser and without triggers: it has to be there, not to be right again.
_HISTORY = (
    "SET session_replication_role = replica",
    """
    INSERT INTO organizations VALUES (
        '00000000-0000-7000-8000-000000000001', 'History', 'usd', 'UTC', 'sandbox', 'INV', 14, 30,
        1, 1, now(), now()
    )
    """,
    """
    INSERT INTO customers (
        org_id, id, email, name, currency, metadata, version, sequence, created_at, updated_at
    )
    SELECT '00000000-0000-7000-8000-000000000001', sec.new_uuid7(), 'c' || n || '@example.com',
        'Customer', 'usd', '{}', 1, 1, now(), now()
    FROM generate_series(1, 1000) AS n
    """,
    """
    CREATE TEMP TABLE made AS
    SELECT sec.new_uuid7() AS id, (array_agg(c.id))[1] AS customer_id
    FROM generate_series(1, $1::int) AS n JOIN (
        SELECT id, row_number() OVER () - 1 AS turn FROM customers
        WHERE org_id = '00000000-0000-7000-8000-000000000001'
    ) AS c ON c.turn = n % 1000 GROUP BY n
    """,
    """
    INSERT INTO invoices (
        org_id, id, customer_id, status, currency, subtotal_minor, discount_minor, tax_minor,
        total_minor, paid_minor, metadata, hosted_generation, version, sequence, created_at,
        updated_at
    )
    SELECT '00000000-0000-7000-8000-000000000001', m.id, m.customer_id, 'draft', 'usd',
        1, 0, 0, 1, 0, '{}', 1, 1, 1, now(), now()
    FROM made AS m
    """,
    """
    INSERT INTO invoice_lines
    SELECT '00000000-0000-7000-8000-000000000001', m.id, sec.new_uuid7(), n, 'Line', 'manual',
        1, 1, 1
    FROM made AS m, generate_series(1, 3) AS n
    """,
    """
    INSERT INTO events (
        org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence, actor,
        request_id, occurred_at, snapshot
    )
    SELECT '00000000-0000-7000-8000-000000000001', sec.new_uuid7(), 'invoice.created', 1, false,
        'invoice', m.id, 1, 'system:bench', 'bench', now(), '{}'
    FROM made AS m
    """,
    "INSERT INTO bench.invoices SELECT m.id, repeat('x', 900) FROM made AS m",
    "DROP TABLE made",
    "ANALYZE",
)


@dataclass(frozen=True, slots=True)
class Stage:
    """An organization with customers and an API key that may do all it takes."""

    port: int
    org_id: str
    customer_ids: tuple[str, ...]
    key: str

    @property
    def headers(self) -> dict[str, str]:
        """How a program signs in."""
        return {"Authorization": f"Bearer {self.key}"}

    def draft(self, number: int) -> dict[str, object]:
        """A draft of three lines, for the customers in turn."""
        lines = [
            {"description": description, "quantity": quantity, "unitAmountCents": cents}
            for description, quantity, cents in LINES
        ]
        return {
            "customerId": self.customer_ids[number % CUSTOMERS],
            "lines": lines,
            "memo": "Thank you.",
        }


async def write_history(place: Place, invoices: int) -> None:
    """Invoices, three lines and an event each, of an organization nobody asks about."""
    async with place.superuser() as connection:
        for statement in _HISTORY:
            wanted = (invoices,) if "$1" in statement else ()
            await connection.execute(statement, *wanted, timeout=600)


async def set_stage(port: int) -> Stage:
    """Sign up, found an organization, make a key and its customers."""
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        person = {
            "email": f"owner-{secrets.token_hex(6)}@example.com",
            "password": PASSWORD,
            "name": "Olga Owner",
            "organizationName": "Bench",
        }
        signed_up = await post(session, "/v1/auth/register", person, {})
        org_id = signed_up["organization"]["id"]
        owner = {"Authorization": f"Bearer {signed_up['accessToken']}", "x-org-id": org_id}
        wanted = {"name": "bench", "scopes": ["billing:write"]}
        issued = await post(session, "/v1/api-keys", wanted, owner)
        ids = []
        for number in range(CUSTOMERS):
            customer = {"email": f"ada{number}@example.com", "name": "Ada Lovelace"}
            ids.append((await post(session, "/v1/customers", customer, owner))["id"])
        return Stage(port, org_id, tuple(ids), issued["key"])


async def post(
    session: aiohttp.ClientSession, path: str, body: dict[str, Any], headers: dict[str, str]
) -> dict[str, Any]:
    """The resource a POST answers with."""
    async with session.post(path, json=body, headers=headers) as answer:
        said = await answer.json()
        if answer.status not in {200, 201}:
            raise RuntimeError(f"POST {path}: {answer.status} {said}")
        found: dict[str, Any] = said["data"]
        return found


async def failed_checks(place: Place, stage: Stage) -> list[str]:
    """What `verify` finds wrong in the stage's organization; a check without a subject is none."""
    async with build(place.settings(), part="bench", app_url=place.app_url) as app:
        caller = Caller(
            app=app,
            org_id=OrgId(stage.org_id),
            actor=System("bench"),
            request_id=str(uuid.uuid4()),
        )
        found = await caller.look(checks)
    return [f"{check.name}: {check.offenders[:3]}" for check in found if not check.is_good]


def uuid_in(wire_id: str) -> uuid.UUID:
    """The UUID behind an id as the API prints it."""
    return parse_id(wire_id.partition("_")[0], text=wire_id)
