"""Tries at a password: claimed before the password is checked, so none is made uncounted.

An account is known by a keyed hash of the address that was typed, so one that nobody has is counted
like any other. A try counts as failed until whoever made it turns out to be right.
"""

from typing import Final

from bursar.domain.throttles import Tries
from bursar.runtime import sql
from bursar.runtime.db import Tx

Q = sql.beside(__file__)
_LABEL: Final = "tried-account"
_NOWHERE: Final = "local"


async def claim(tx: Tx, email: str) -> int:
    """Seconds to wait; zero when the try may be made, and is counted."""
    key = _key(tx, email)
    row = await tx.fetchrow(Q.begin_try, *key)
    assert row is not None
    tries = Tries(
        failures=row["failures"],
        begun_at=row["begun_at"],
        failed_at=row["failed_at"],
        has_succeeded=row["succeeded_at"] is not None,
        account_failures=row["account_failures"] or 0,
        account_failed_at=row["account_failed_at"],
    )
    seconds = tries.seconds_to_wait(tx.wall)
    if seconds == 0:
        counts = tries.counted(tx.wall) + 1, tries.account_counted(tx.wall) + 1
        await tx.fetchval(Q.count_try, *key, *counts)
    return seconds


async def succeed(tx: Tx, email: str) -> None:
    """The try was right."""
    await tx.fetchval(Q.end_try, *_key(tx, email), True)


async def give_back(tx: Tx, email: str) -> None:
    """The try was no guess: it is not counted, and nothing is cleared."""
    await tx.fetchval(Q.end_try, *_key(tx, email), False)


async def clear(tx: Tx, email: str) -> None:
    """The account has another password: failures at the old one mean nothing."""
    await tx.fetchval(Q.clear_tries, _key(tx, email)[0])


def _key(tx: Tx, email: str) -> tuple[bytes, str]:
    return tx.keys.mac(_LABEL, email.encode()), tx.address or _NOWHERE
