"""JSON merge patches on maps: what is named changes, null takes a key away, the rest stays.

A map is merged with what was read a moment before, so the change is bound to that version: a lost
race is a conflict, never a lost key.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec

from bursar.api.fields import METADATA_KEYS_MAX
from bursar.domain.refusals import (
    InvalidInput,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    StaleVersion,
)

Result = TypeVar("Result")


def merged(
    current: Mapping[str, str], patch: Mapping[str, str | None] | None, field: str
) -> dict[str, str]:
    """The map after the patch.

    Raises:
        InvalidInput: it would hold too many keys.
    """
    after = dict(current) | dict(patch or {})
    kept = {key: value for key, value in after.items() if value is not None}
    if len(kept) > METADATA_KEYS_MAX:
        raise InvalidInput.at(
            field, f"would hold more than {METADATA_KEYS_MAX} keys", "wrong_length"
        )
    return {} if patch is None else kept


def named(patch: msgspec.Struct) -> dict[str, Any]:
    """What a patch really names, by attribute: null is a value, absent is not."""
    fields = ((name, getattr(patch, name)) for name in patch.__struct_fields__)
    return {name: value for name, value in fields if value is not msgspec.UNSET}


async def peeked(look: Awaitable[Result]) -> Result | None:
    """What is there before the verb runs, or None: whether that is a 403 or a 404, it will say."""
    try:
        return await look
    except (NotAllowed, NotFound):
        return None


@asynccontextmanager
async def raced(*, is_expected: bool) -> AsyncIterator[None]:
    """Turns the loss of a version that only we had named into a conflict.

    Raises:
        StaleVersion: somebody changed the resource in the meantime.
        PreconditionFailed: as it came, when the caller named the version.
    """
    try:
        yield
    except PreconditionFailed as lost:
        if is_expected:
            raise
        raise StaleVersion("Somebody changed it in the meantime; send the request again.") from lost
