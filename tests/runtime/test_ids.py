"""Ids: UUIDv7, rising within a process however many are asked for at once, and never twice."""

from concurrent.futures import ThreadPoolExecutor
from uuid import RFC_4122, UUID

from bursar.domain.ids import parse_id, print_id
from bursar.runtime.ids import new_uuid, new_uuid_texts, new_uuids

MANY = 3_000  # more than the supply of chance lasts for


def test_ids_rise_one_by_one_and_by_the_thousand() -> None:
    # Rows written together are listed in the order in which they were decided.
    made = [new_uuid(), *new_uuids(MANY), new_uuid(), *new_uuids(2), new_uuid()]
    assert made == sorted(made)
    assert len(set(made)) == len(made) == MANY + 5


def test_every_id_is_a_uuid_of_version_seven() -> None:
    # What is printed is read back, letter for letter, as the standard kind of the same value.
    for made in new_uuids(50):
        assert (made.version, made.variant) == (7, RFC_4122)
        printed = print_id("txn", made)
        assert parse_id("txn", text=printed) == made == UUID(printed.partition("_")[2])


def test_bare_digits_are_ids_like_all_others() -> None:
    # They rise among those that are made as values, and are of the same version and variant.
    texts = new_uuid_texts(50)
    made = [new_uuid(), *map(UUID, new_uuid_texts(MANY)), new_uuid()]
    assert made == sorted(made)
    assert len(set(made)) == MANY + 2
    assert {(UUID(each).version, UUID(each).variant) for each in texts} == {(7, RFC_4122)}


def test_threads_never_share_an_id() -> None:
    # The clock and the supply of chance are one for the whole process.
    with ThreadPoolExecutor(4) as threads:
        made = [each for batch in threads.map(new_uuids, [500] * 8) for each in batch]
    assert len(set(made)) == len(made)


def test_none_is_none() -> None:
    # A set of nothing asks for no ids.
    assert new_uuids(0) == []
