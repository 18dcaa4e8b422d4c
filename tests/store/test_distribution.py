"""The script that spreads the schema over many nodes: what it says of every table is right."""

import re
from pathlib import Path

import asyncpg
from tests.support.database import Installation

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "citus" / "distribute.sql"
CALL = re.compile(r"SELECT create_distributed_table\('(\w+)', '(\w+)', colocate_with => '(\w+)'\)")
TENANTS = (
    "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace"
)


async def told(owner: "asyncpg.Connection[asyncpg.Record]") -> list[list[str]]:
    """What each generating statement of the script says to do; its tables of notes are made."""
    text = re.sub(r"^--.*$", "", SCRIPT.read_text(), flags=re.MULTILINE)
    text = text.replace("CREATE EXTENSION IF NOT EXISTS citus;", "")
    notes, _, rest = text.partition("SELECT format('ALTER TABLE %s DISABLE TRIGGER USER'")
    await owner.execute(notes)
    blocks = f"SELECT format('ALTER TABLE %s DISABLE TRIGGER USER'{rest}".split("\\gexec")
    return [[row[0] for row in await owner.fetch(one)] for one in blocks if one.strip()]


async def test_every_table_of_an_organization_is_distributed_by_it(house: Installation) -> None:
    # Whatever has row-level security is put beside the organizations, which come first.
    owner = await house.as_owner()
    try:
        _, _, calls, _ = await told(owner)
        isolated = {row["relname"] for row in await owner.fetch(TENANTS)}
    finally:
        await owner.close()
    found = [match.groups() for match in map(CALL.fullmatch, calls) if match is not None]
    assert len(found) == len(calls)
    assert found[0] == ("organizations", "org_id", "none")
    assert {(key, beside) for _, key, beside in found[1:]} == {("org_id", "organizations")}
    assert isolated <= {name for name, *_ in found}


async def test_foreign_keys_go_and_come_back(house: Installation) -> None:
    # Each is put back as it was, and stays inside one organization: it names it first.
    owner = await house.as_owner()
    try:
        triggers, away, _, back = await told(owner)
        tried = owner.transaction()
        await tried.start()
        for statement in (*triggers, *away, *back):
            await owner.execute(statement)
        await tried.rollback()
    finally:
        await owner.close()
    assert len(away) == len(back) > 50
    assert all("FOREIGN KEY (org_id" in statement for statement in back)
