"""Sets that go to PostgreSQL as one text: what arrives is what was given, whatever is in it."""

import uuid

from tests.support.database import Installation

from bursar.store.saving import plain, quoted

TEXTS = (
    *("", "NULL", "null", "{}", "{a,b}", ",", '"', "\\", '\\"', '","', " a ", "a\nb\tc"),
    *("payout-17", "naïve", "日本", "'; DROP TABLE transfers; --", '{"a": "\\"b\\""}'),
    None,
)


async def test_any_text_arrives_as_it_is(house: Installation) -> None:
    # The callers' own keys and reasons are any text: none of it may be read as part of the array.
    owner = await house.as_owner()
    try:
        found = await owner.fetchval("SELECT $1::text::text[]", quoted(TEXTS))
        none = await owner.fetchval("SELECT $1::text::text[]", quoted(()))
    finally:
        await owner.close()
    assert tuple(found) == TEXTS
    assert none == []


async def test_ids_and_numbers_arrive_as_they_are(house: Installation) -> None:
    # They need no quotes, in either spelling of an id.
    ids = [uuid.UUID(int=at) for at in (1, 2**127)]
    numbers = [-(2**53), 0, 2**53]
    owner = await house.as_owner()
    try:
        dashed = await owner.fetchval("SELECT $1::text::uuid[]", plain(ids))
        bare = await owner.fetchval("SELECT $1::text::uuid[]", plain(each.hex for each in ids))
        found = await owner.fetchval("SELECT $1::text::bigint[]", plain(numbers))
    finally:
        await owner.close()
    assert dashed == bare == ids
    assert found == numbers
