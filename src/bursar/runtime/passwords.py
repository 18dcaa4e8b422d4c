"""Password hashes: argon2id over a peppered password, in threads, never more than two at once.

A stored hash is a PHC string; its `keyid` names the pepper, which is derived from the secret key
and is nowhere in the database. Hashing is made slow on purpose, so it is rationed: two run, 32
wait, and whoever comes next is told to come back. An unknown user costs the same time as a known
one. The parameters are the OWASP minimum, measured to fit a login within its limit.
"""

import asyncio
import base64
import hmac
import re
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

from argon2.exceptions import VerifyMismatchError
from argon2.low_level import ARGON2_VERSION, Type, hash_secret, verify_secret

from bursar.domain.refusals import Away
from bursar.runtime.crypto import KeyRing, key_id, random_bytes

MEMORY_KIB: Final = 19_456
ITERATIONS: Final = 2
PARALLELISM: Final = 1
SALT_LENGTH: Final = 16
TAG_LENGTH: Final = 32
RUNNING_MAX: Final = 2
WAITING_MAX: Final = 32

_LABEL: Final = "password-pepper"
_PARAMETERS: Final = f"$argon2id$v={ARGON2_VERSION}$m={MEMORY_KIB},t={ITERATIONS},p={PARALLELISM}"
_STORED: Final = re.compile(
    r"(?P<head>\$argon2id\$v=[0-9]+\$m=[0-9]+,t=[0-9]+,p=[0-9]+),keyid=(?P<key_id>[A-Za-z0-9+/]+)"
    r"(?P<tail>\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+)"
)

Result = TypeVar("Result")


class TooBusy(Away):
    """More passwords are being checked than this process takes on; try again shortly."""


class Passwords:
    """Hashes and checks passwords with the peppers of one key ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._peppers = ring.keys(_LABEL)
        self._current = key_id(ring.key(_LABEL))
        self._threads = ThreadPoolExecutor(RUNNING_MAX, thread_name_prefix="password")
        self._lock = threading.Lock()
        self._taken = 0

    async def hash(self, password: str) -> str:
        """The PHC string to store for a normalized password.

        Raises:
            TooBusy: too many wait already.
        """
        return await self._run(lambda: self._hash_now(password))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether this is the password; with no stored hash it costs the same and is False.

        Raises:
            TooBusy: too many wait already.
        """
        return await self._run(lambda: self._verify_now(stored, password))

    def needs_rehash(self, stored: str) -> bool:
        """Whether the hash was made with other parameters or an earlier pepper than today's."""
        return not stored.startswith(f"{_PARAMETERS},keyid={_printed(self._current)}$")

    def close(self) -> None:
        """Ends the threads; what still waits is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _hash_now(self, password: str) -> str:
        salt = random_bytes(SALT_LENGTH)
        made = hash_secret(
            _peppered(self._peppers[self._current], password),
            salt,
            time_cost=ITERATIONS,
            memory_cost=MEMORY_KIB,
            parallelism=PARALLELISM,
            hash_len=TAG_LENGTH,
            type=Type.ID,
        ).decode()
        # argon2's own writer has no `keyid`, though the PHC format does.
        return made.replace(_PARAMETERS, f"{_PARAMETERS},keyid={_printed(self._current)}", 1)

    def _verify_now(self, stored: str | None, password: str) -> bool:
        parts = _STORED.fullmatch(stored) if stored is not None else None
        pepper = self._pepper_named(parts["key_id"]) if parts else None
        if parts is None or pepper is None:
            _is_match(_DUMMY, _peppered(self._peppers[self._current], password))
            return False
        return _is_match(parts["head"] + parts["tail"], _peppered(pepper, password))

    def _pepper_named(self, printed: str) -> bytes | None:
        return next(
            (pepper for name, pepper in self._peppers.items() if _printed(name) == printed), None
        )

    async def _run(self, work: Callable[[], Result]) -> Result:
        with self._lock:
            if self._taken >= RUNNING_MAX + WAITING_MAX:
                raise TooBusy
            self._taken += 1
        future = self._threads.submit(work)
        # Counted down when the thread is done, not when the caller gives up: a caller who hangs up
        # does not stop argon2, and must not make room for another.
        future.add_done_callback(self._give_back)
        return await asyncio.wrap_future(future)

    def _give_back(self, _future: Future[Result]) -> None:
        with self._lock:
            self._taken -= 1


def _peppered(pepper: bytes, password: str) -> bytes:
    # Text that cannot be encoded is a wrong password, not an exception.
    return hmac.digest(pepper, password.encode(errors="surrogatepass"), "sha256")


def _printed(text: bytes) -> str:
    return base64.b64encode(text).decode().rstrip("=")


def _is_match(phc: str, peppered: bytes) -> bool:
    try:
        return verify_secret(phc.encode(), peppered, Type.ID)
    except VerifyMismatchError:
        return False


# Nobody's hash: checked when there is no user, for the time it takes.
_DUMMY: Final = f"{_PARAMETERS}${_printed(bytes(SALT_LENGTH))}${_printed(bytes(TAG_LENGTH))}"
