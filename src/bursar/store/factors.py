"""The second factor of the person whose scope is bound, and its recovery codes."""

from msgspec import Struct

from bursar.domain.ids import uuid_of
from bursar.domain.people import RECOVERY_CODES, Factor
from bursar.runtime import sql, totp
from bursar.runtime.db import Tx
from bursar.runtime.mailed import new_recovery_code, recovery_code_hashes

Q = sql.beside(__file__)


class Taken(Struct, frozen=True):
    """A code was right; whether it was a recovery code."""

    is_recovery: bool


async def own(tx: Tx) -> Factor | None:
    """One's own factor, confirmed or not."""
    row = await tx.fetchrow(Q.own_factor)
    return None if row is None else Factor(**dict(row))


async def begin(tx: Tx) -> bytes | None:
    """A fresh secret, not confirmed yet; nothing, when a confirmed factor stands."""
    secret = totp.new_secret()
    sealed = tx.keys.seal(secret, context=_context(tx))
    return secret if await tx.fetchval(Q.put_factor, sealed) else None


async def take_code(tx: Tx, factor: Factor, code: str) -> bool:
    """Whether this is the code of now, or nearly; each counts once."""
    secret = tx.keys.unseal(factor.secret_sealed, context=_context(tx))
    step = totp.matching_step(secret, code, tx.wall)
    return step is not None and bool(await tx.fetchval(Q.take_step, step))


async def take_any(tx: Tx, factor: Factor, code: str) -> Taken | None:
    """Take a code of the factor, or one of its recovery codes; nothing, when it is neither."""
    if code.isdecimal():
        return Taken(is_recovery=False) if await take_code(tx, factor, code) else None
    hashes = recovery_code_hashes(tx.keys, code)
    is_taken = await tx.fetchval(Q.take_recovery_code, hashes)
    return Taken(is_recovery=True) if is_taken else None


async def new_recovery_codes(tx: Tx) -> tuple[str, ...]:
    """Fresh codes in place of all earlier ones."""
    codes = tuple(new_recovery_code() for _ in range(RECOVERY_CODES))
    hashes = [recovery_code_hashes(tx.keys, code)[0] for code in codes]
    await tx.fetchval(Q.put_recovery_codes, hashes)
    return codes


async def drop(tx: Tx) -> bool:
    """Take the factor away; says whether there was one."""
    return bool(await tx.fetchval(Q.drop_factor))


def _context(tx: Tx) -> bytes:
    return b"factor/" + uuid_of(tx.org_id).bytes
