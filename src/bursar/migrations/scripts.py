"""Plain SQL behind the revisions: each script is executed whole by the driver itself.

Alembic keeps count of revisions and nothing else; asyncpg's `execute` takes several statements at
once, which prepared statements do not.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
from alembic import op
from sqlalchemy.util import await_only

_FOLDER: Final = Path(__file__).parent / "sql"


def run_scripts(names: Sequence[str]) -> None:
    """Execute `sql/<name>.sql` for each name, in the transaction that notes the revision."""
    bound = op.get_bind()
    bound.exec_driver_sql("SELECT 1")  # with it the engine begins its transaction
    raw = bound.connection.driver_connection
    assert isinstance(raw, asyncpg.Connection)
    assert raw.is_in_transaction(), "what a script makes and its revision are one commit"
    for name in names:
        script = (_FOLDER / f"{name}.sql").read_text("utf-8")
        if _says_something(script):
            await_only(raw.execute(script))


def _says_something(script: str) -> bool:
    """Whether there is a statement: the driver cannot execute comments alone."""
    lines = (line.strip() for line in script.splitlines())
    return any(line and not line.startswith("--") for line in lines)
