"""Whether a database fits: known by its files, told in one line."""

from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from tests.support.database import Installation

import bursar.migrations
from bursar.runtime.schema import (
    DatabaseUnreachable,
    SchemaUnfit,
    login_of,
    newest_revision,
    require_fit,
    require_revision,
    revision_of,
    server_version,
)


def test_the_newest_revision_is_what_alembic_says() -> None:
    # Asking the file names gives the head that Alembic finds by loading them.
    folder = Path(bursar.migrations.__file__).parent
    assert newest_revision() == ScriptDirectory(str(folder)).get_current_head()


@pytest.mark.parametrize(
    ("found", "advice"),
    [
        (None, "run `bursar migrate`"),
        ("0000", "run `bursar migrate`"),
        ("9999", "install the newer release"),
    ],
)
def test_another_revision_is_refused_with_advice(found: str | None, advice: str) -> None:
    # An operator learns what to do, not only that something is wrong.
    with pytest.raises(SchemaUnfit, match=advice):
        require_revision(found)


async def test_a_migrated_database_fits(house: Installation) -> None:
    # Asked as the application, which may read the revision and nothing more of it.
    assert await revision_of(house.app_url) == newest_revision()
    assert int((await server_version(house.app_url)).split(".")[0]) >= 15
    assert (await login_of(house.app_url)).powers == ()


async def test_nobody_there_is_told_apart_from_not_fitting(house: Installation) -> None:
    # A server that is away may come back; a schema that does not fit will not.
    with pytest.raises(DatabaseUnreachable):
        await revision_of("postgresql://127.0.0.1:1/bursar")
    with pytest.raises(SchemaUnfit, match="SECRET_KEY"):
        await require_fit(house.app_url, context_key=b"k" * 32, is_production=False)
