"""The script that spreads the schema over many nodes: every table of an organization, in order."""

import re
from pathlib import Path

from tests.support.database import Installation

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "citus" / "distribute.sql"
CALL = re.compile(r"SELECT create_distributed_table\('(\w+)', '(\w+)', colocate_with => '(\w+)'\)")


async def told(house: Installation) -> list[list[str]]:
    """What each generating statement of the script says to do."""
    text = re.sub(r"^--.*$", "", SCRIPT.read_text(), flags=re.MULTILINE)
    text = text.replace("CREATE EXTENSION IF NOT EXISTS citus;", "")
    owner = await house.as_owner()
    try:
        return [
            [row[0] for row in await owner.fetch(query)]
            for query in text.split("\\gexec")
            if query.strip()
        ]
    finally:
        await owner.close()


async def test_every_table_of_an_organization_is_distributed_by_it(house: Installation) -> None:
    # Whatever has row-level security has the organization in front, and is put beside the others;
    # a table is distributed after those it refers to.
    triggers, calls = await told(house)
    found = [CALL.fullmatch(each) for each in calls]
    assert all(found)
    names = [match[1] for match in found if match]
    assert names[0] == "organizations"
    assert {match[3] for match in found[1:] if match} == {"organizations"}
    owner = await house.as_owner()
    try:
        isolated = await owner.fetch(
            "SELECT relname FROM pg_class WHERE relrowsecurity AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        )
        refers = await owner.fetch(
            "SELECT c.conrelid::regclass::text AS one, c.confrelid::regclass::text AS other"
            " FROM pg_constraint AS c WHERE c.contype = 'f' AND c.conrelid <> c.confrelid"
        )
        keys = await owner.fetch(
            "SELECT t.relname, a.attname FROM pg_index AS i"
            " INNER JOIN pg_class AS t ON t.oid = i.indrelid"
            " INNER JOIN pg_attribute AS a ON a.attrelid = t.oid AND a.attnum = ANY (i.indkey)"
            " WHERE i.indisunique"
        )
    finally:
        await owner.close()
    assert {row["relname"] for row in isolated} <= set(names)
    for row in refers:
        if row["one"] in names and row["other"] in names:
            assert names.index(row["other"]) < names.index(row["one"]), dict(row)
    in_keys = {(row["relname"], row["attname"]) for row in keys}
    assert all((match[1], match[2]) in in_keys for match in found if match), (
        "what is unique names what it is distributed by"
    )
    assert all(each.startswith("ALTER TABLE ") for each in triggers)
