"""A month of the log goes into files; chain and files together prove that nothing is missing."""

from pathlib import Path
from typing import Final

import pytest
from tests.cli.conftest import Terminal
from tests.support.offline_audit import checked
from tests.support.world import Org, World

from bursar.cli.audit_export import exported
from bursar.domain.ids import uuid_of
from bursar.jobs import dispatch
from bursar.reads.verify import chain

MONTH: Final = ("2020-01-01T00:00:00Z", "2020-02-01T00:00:00Z")
TOLD: Final = """
INSERT INTO events (
    org_id, id, type, payload_version, is_public, resource_type, resource_id, sequence,
    actor, request_id, occurred_at, snapshot
)
SELECT
    $1, sec.first_id_at('2020-01-15T00:00:00Z'::timestamptz + n * interval '1 hour'),
    'wallet.updated', 1, true, 'wallet', gen_random_uuid(), 1, 'system:test', 'test', now(), '{}'
FROM generate_series(1, 5) AS n
"""


@pytest.fixture
async def old_log(world: World) -> Org:
    """An organization that told five facts in a month long past, and more since."""
    org = await world.org()
    owner = await world.house.as_owner()
    try:
        bounds = await owner.fetchrow(
            "SELECT sec.first_id_at($1::text::timestamptz), sec.first_id_at($2::text::timestamptz)",
            *MONTH,
        )
        assert bounds is not None
        await owner.execute(
            "CREATE TABLE events_2020_01 PARTITION OF events"
            f" FOR VALUES FROM ('{bounds[0]}') TO ('{bounds[1]}')"
        )
        await owner.execute("CALL sec.guard_partition('events_2020_01')")
        await owner.execute(TOLD, uuid_of(org.id))
    finally:
        await owner.close()
    await org.customer(token=None)
    while await dispatch.relay_events(world.app):
        pass
    return org


def lines_of(path: str) -> list[bytes]:
    return Path(path).read_bytes().splitlines()


async def test_a_month_goes_into_a_file_and_the_chain_goes_on(
    world: World,
    old_log: Org,
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Not before it is sealed. Then it is gone, the chain holds, and only both files are the whole.
    monkeypatch.setenv("DATABASE_URL", world.house.app_url)
    monkeypatch.setenv("MIGRATION_DATABASE_URL", world.house.owner_url)
    archive = ("audit", "archive", "--month", "2020-01", "--to", str(tmp_path), "--yes")
    refused = await terminal.run(*archive)
    assert (refused.code, "not sealed" in refused.err) == (2, True), refused.err
    await world.seal()
    done = await terminal.run(*archive)
    assert done.code == 0, done.err
    (row,) = done.value
    assert row["orgId"] == old_log.id
    assert row["links"] == 5
    assert (await old_log.caller.look(chain)).is_good
    archived = lines_of(row["file"])
    rest = [line async for line in exported(world.operator(old_log.id))]
    code, said = checked([*archived, *rest])
    assert (code, "no faults" in said) == (0, True), said
    code, said = checked(rest)
    assert (code, said.count("deleted evt_")) == (9, 5), said
    forged = [line.replace(b"wallet.updated", b"wallet.forgotten") for line in archived]
    code, said = checked([*forged, *rest])
    assert (code, said.count("edited evt_")) == (9, 5), said
