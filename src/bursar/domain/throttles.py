"""How long somebody waits before the next try at a password: growing, and never locked out.

Counted for an account and an address together, so that whoever guesses from elsewhere makes the
owner wait for nothing. Five failures are free; then the wait doubles from a second to a quarter of
an hour. After a hundred failures in a day, from wherever, an address that never signed in to the
account waits a quarter of an hour before its first try; one that did stays free.
"""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.times import Instant

FREE_FAILURES: Final = 5
FREE_WINDOW: Final = timedelta(minutes=15)
WAIT_MAX: Final = timedelta(minutes=15)
ACCOUNT_FAILURES_MAX: Final = 100
FORGOTTEN_AFTER: Final = timedelta(days=1)

_SECOND: Final = timedelta(seconds=1)
_DOUBLINGS_MAX: Final = 10  # 2^10 seconds are more than the longest wait


class Tries(Struct, frozen=True, kw_only=True):
    """What happened at one account from one address, and at the account from anywhere."""

    failures: int
    begun_at: Instant
    failed_at: Instant | None
    has_succeeded: bool
    account_failures: int
    account_failed_at: Instant | None

    def counted(self, now: Instant) -> int:
        """Failures that still count: a few are forgotten soon, many after a day."""
        if self.failed_at is None:
            return 0
        after = FREE_WINDOW if self.failures <= FREE_FAILURES else FORGOTTEN_AFTER
        return self.failures if now - self.failed_at < after else 0

    def account_counted(self, now: Instant) -> int:
        """Failures at the account from anywhere that still count."""
        if self.account_failed_at is None or now - self.account_failed_at >= FORGOTTEN_AFTER:
            return 0
        return self.account_failures

    def seconds_to_wait(self, now: Instant) -> int:
        """Zero when the try may be made now."""
        until = now
        failures = self.counted(now)
        if self.failed_at is not None and failures >= FREE_FAILURES:
            until = max(until, self.failed_at + _wait_after(failures))
        is_besieged = self.account_counted(now) >= ACCOUNT_FAILURES_MAX
        if is_besieged and not self.has_succeeded:
            until = max(until, self.begun_at + WAIT_MAX)
        return -((now - until) // _SECOND)


def _wait_after(failures: int) -> timedelta:
    doublings = min(failures - FREE_FAILURES, _DOUBLINGS_MAX)
    return min(_SECOND * (1 << doublings), WAIT_MAX)
