"""Known keys: remembered for a moment, bounded in number."""

from dataclasses import dataclass

from bursar.domain.ids import ApiKeyId, OrgId
from bursar.runtime.doors import FoundKey
from bursar.runtime.known_keys import KNOWN_MAX, KNOWN_SECONDS, KnownHashes, KnownKeys

FOUND = FoundKey(OrgId("org_1"), ApiKeyId("key_1"), ("billing:read",), (), None)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_known_for_less_than_a_second() -> None:
    # Whatever changed about it counts after that, and it can be remembered anew.
    clock = Clock()
    known = KnownKeys(clock)
    assert known.get(b"hash") is None
    known.put(b"hash", FOUND)
    assert known.get(b"hash") is FOUND
    assert known.get(b"other") is None
    clock.now += KNOWN_SECONDS
    assert KNOWN_SECONDS < 1
    assert known.get(b"hash") is None
    assert len(known) == 0
    known.put(b"hash", FOUND)
    assert known.get(b"hash") is FOUND


def test_no_more_are_known_than_fit() -> None:
    # Whoever came first is forgotten first.
    known = KnownKeys(Clock())
    for number in range(KNOWN_MAX + 1):
        known.put(str(number).encode(), FOUND)
    assert len(known) == KNOWN_MAX
    assert known.get(b"0") is None
    assert known.get(str(KNOWN_MAX).encode()) is FOUND


def test_hashes_are_known_of_the_very_same_key() -> None:
    # Not of one that differs in its last letter, and not of more keys than fit.
    known = KnownHashes()
    assert known.get("bsk_a") is None
    known.put("bsk_a", [b"hash"])
    assert known.get("bsk_a") == [b"hash"]
    for other in ("bsk_b", "bsk_", "bsk_aa", "", "bsk_é", "bsk_\udc80"):
        assert known.get(other) is None
    for number in range(KNOWN_MAX):
        known.put(f"bsk_{number}", [b"other"])
    assert len(known) == KNOWN_MAX
    assert known.get("bsk_a") is None


def test_no_key_can_be_read_out_of_it() -> None:
    # What is remembered is a print, and another process makes another one of the same key.
    one, other = KnownHashes(), KnownHashes()
    for known in (one, other):
        known.put("bsk_secret", [b"hash"])
    seen = [repr(vars(known)) for known in (one, other)]
    assert all("bsk_secret" not in text for text in seen)
    assert one._hashes.keys().isdisjoint(other._hashes.keys())
