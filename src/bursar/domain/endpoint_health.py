"""How an endpoint is doing, from its last answers alone: healthy, failing, or down.

Failures in a row trip it. While it is down nothing is sent but a trial now and then, each wait
longer than the one before; trials that succeed bring it back, and then what it missed is sent. An
endpoint that did nothing but fail for days is not tried any more. Knows no socket and no clock.
"""

from datetime import timedelta
from typing import Final

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.domain.times import Instant

FAILURES_TO_TRIP: Final = 10
TRIALS_TO_RECOVER: Final = 3
COOLDOWN: Final = timedelta(seconds=15)
COOLDOWN_MAX: Final = timedelta(minutes=4)
GIVEN_UP_AFTER: Final = timedelta(days=5)
_DOUBLINGS_MAX: Final = 10


class Health(Struct, frozen=True, kw_only=True):
    """Any success ends `first_failed_at`; `went_down_at` ends when the endpoint has recovered."""

    failures: int = 0
    first_failed_at: Instant | None = None
    went_down_at: Instant | None = None
    trials: int = 0
    held_until: Instant | None = None

    @property
    def is_down(self) -> bool:
        """Whether only trials are sent."""
        return self.went_down_at is not None

    def after_success(self) -> "Health":
        """What it is after an answer that was good."""
        if not self.is_down or self.trials + 1 >= TRIALS_TO_RECOVER:
            return Health()
        return Health(went_down_at=self.went_down_at, trials=self.trials + 1)

    def after_failure(self, at: Instant) -> "Health":
        """What it is after an attempt that failed."""
        failures, since = self.failures + 1, self.first_failed_at or at
        if not self.is_down and failures < FAILURES_TO_TRIP:
            return Health(failures=failures, first_failed_at=since)
        waits = max(failures - FAILURES_TO_TRIP, 0)
        cooldown = min(COOLDOWN * 2 ** min(waits, _DOUBLINGS_MAX), COOLDOWN_MAX)
        return Health(
            failures=failures,
            first_failed_at=since,
            went_down_at=self.went_down_at or since,
            held_until=at + cooldown,
        )

    def is_given_up(self, at: Instant) -> bool:
        """Whether there was nothing but failure for so long that it is no use any more."""
        return self.first_failed_at is not None and at - self.first_failed_at >= GIVEN_UP_AFTER

    def on_trial(self, since: Instant) -> "Health":
        """Somebody switched it on again: as if down since then, and tried at once."""
        return replace(Health(), went_down_at=self.went_down_at or self.first_failed_at or since)
