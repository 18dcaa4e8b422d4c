"""Hashes have today's parameters, check in constant cost and are rationed."""

import asyncio
import statistics
import time
from collections.abc import Iterator

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from bursar.runtime.crypto import KeyRing
from bursar.runtime.passwords import RUNNING_MAX, WAITING_MAX, Passwords, TooBusy

OLD, NEW = b"o" * 32, b"n" * 32


@pytest.fixture(name="passwords")
def fixture_passwords() -> Iterator[Passwords]:
    made = Passwords(KeyRing(OLD))
    yield made
    made.close()


async def test_a_password_is_known_again_and_another_is_not(passwords: Passwords) -> None:
    # Two hashes of one password differ, and both verify.
    first, second = await passwords.hash("correct horse"), await passwords.hash("correct horse")
    assert first != second
    assert await passwords.verify(first, "correct horse")
    assert await passwords.verify(second, "correct horse")
    for wrong in ("correct horsf", "", "correct horse ", "\ud800", "x" * 10_000):
        assert not await passwords.verify(first, wrong)


async def test_the_stored_hash_carries_the_agreed_parameters(passwords: Passwords) -> None:
    # argon2id, 19 MiB, two passes, one lane, 16-byte salt, 32-byte tag, and the pepper's id.
    stored = await passwords.hash("correct horse")
    head, key_id, rest = stored.partition(",keyid=")
    parameters = extract_parameters(head + "$" + rest.split("$", 1)[1])
    assert key_id
    assert parameters.type is Type.ID
    assert (parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (19_456, 2, 1)
    assert (parameters.salt_len, parameters.hash_len) == (16, 32)
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1,keyid=")


async def test_the_database_alone_cannot_be_guessed_at(passwords: Passwords) -> None:
    # Without the pepper the right password does not verify.
    stored = await passwords.hash("correct horse")
    stranger = Passwords(KeyRing(NEW))
    assert not await stranger.verify(stored, "correct horse")
    stranger.close()


async def test_a_rotated_pepper_still_verifies_and_asks_for_a_rehash(passwords: Passwords) -> None:
    # As do parameters other than today's.
    stored = await passwords.hash("correct horse")
    rotated = Passwords(KeyRing(NEW, (OLD,)))
    assert await rotated.verify(stored, "correct horse")
    assert rotated.needs_rehash(stored)
    assert not passwords.needs_rehash(stored)
    assert not rotated.needs_rehash(await rotated.hash("correct horse"))
    assert passwords.needs_rehash(stored.replace("m=19456", "m=8192"))
    rotated.close()


@pytest.mark.parametrize("stored", [None, "", "x", "$argon2id$v=19$m=19456,t=2,p=1$AA$AA"])
async def test_nobody_has_no_password(passwords: Passwords, stored: str | None) -> None:
    # A missing or unreadable hash is a wrong password, not an error.
    assert not await passwords.verify(stored, "correct horse")


async def test_an_unknown_user_costs_as_much_as_a_known_one(passwords: Passwords) -> None:
    # Otherwise the time of a login tells who has an account. Work is compared, so the least of
    # many tries: everything else on the machine can only add to it.
    stored = await passwords.hash("correct horse")
    known: list[float] = []
    unknown: list[float] = []
    for _ in range(15):
        known.append(await _seconds(passwords, stored))
        unknown.append(await _seconds(passwords, None))
    assert min(unknown) == pytest.approx(min(known), rel=0.5)
    assert statistics.median(unknown) > min(known) * 0.5


async def _seconds(passwords: Passwords, stored: str | None) -> float:
    started = time.perf_counter()
    await passwords.verify(stored, "wrong horse")
    return time.perf_counter() - started


async def test_more_than_the_ration_is_told_to_come_back(passwords: Passwords) -> None:
    # Two run and 32 wait; the next is refused at once, and there is room again afterwards.
    limit = RUNNING_MAX + WAITING_MAX
    answers = await asyncio.gather(
        *(passwords.verify(None, "x") for _ in range(limit + 6)), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [bool] * limit + [TooBusy] * 6
    assert not await passwords.verify(None, "x")


async def test_callers_who_hang_up_give_their_place_back(passwords: Passwords) -> None:
    # What had not begun is dropped; what runs is counted until it ends, and then no more.
    waiting = [asyncio.create_task(passwords.verify(None, "x")) for _ in range(10)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    answers = await asyncio.gather(
        *(passwords.verify(None, "x") for _ in range(RUNNING_MAX + WAITING_MAX - RUNNING_MAX))
    )
    assert answers == [False] * WAITING_MAX
