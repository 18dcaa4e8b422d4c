"""What a connection to PostgreSQL is, and how it is said that nobody answers.

Light on purpose: whoever only asks whether the database is there loads no queue and no framework.
"""

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from bursar.domain.refusals import Away

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"


class DatabaseAway(Away):
    """PostgreSQL cannot be reached, or answered nothing that can be trusted; try again."""
