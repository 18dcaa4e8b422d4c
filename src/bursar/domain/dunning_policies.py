"""What is done, step by step, when a payment fails: how long to wait, and what to do then.

First the card is tried again, a number of times; then come steps that need no card. Waits are
counted from the step before. An organization has a policy of its own, or the installation's.
"""

from collections.abc import Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

STEPS_MAX: Final = 20
WAIT_MINUTES_MAX: Final = 525_600


class DunningAction(StrEnum):
    """What a step does."""

    RETRY = "retry"  # charge the stored method once more
    NOTIFY = "notify"  # ask the customer to pay another way
    PAUSE = "pause"  # the subscription rests
    CANCEL = "cancel"  # the subscription ends
    WRITE_OFF = "mark_uncollectible"  # nobody expects the money any more


class DunningStep(Struct, frozen=True):
    """One step: what is done, so many minutes after the step before."""

    action: DunningAction
    after_minutes: int

    @property
    def wait(self) -> timedelta:
        """How long after the step before."""
        return timedelta(minutes=self.after_minutes)


ESCALATION: Final = (
    DunningStep(DunningAction.NOTIFY, 0),
    DunningStep(DunningAction.PAUSE, 1_440),
    DunningStep(DunningAction.CANCEL, 1_440),
    DunningStep(DunningAction.WRITE_OFF, 1_440),
)
"""What follows the last try, unless an organization says otherwise: a day between two steps."""


class DunningPolicy(Struct, frozen=True):
    """The tries, and what follows the last of them."""

    retry_minutes: tuple[int, ...]
    escalation: tuple[DunningStep, ...] = ESCALATION

    def __post_init__(self) -> None:
        assert all(step.action is not DunningAction.RETRY for step in self.escalation)
        assert all(0 <= step.after_minutes <= WAIT_MINUTES_MAX for step in self.steps)

    @property
    def steps(self) -> tuple[DunningStep, ...]:
        """All of it in order."""
        return (*_retries(self.retry_minutes), *self.escalation)

    @property
    def retries_max(self) -> int:
        """How many tries there are after the first failure."""
        return len(self.retry_minutes)


def _retries(minutes: Sequence[int]) -> tuple[DunningStep, ...]:
    return tuple(DunningStep(DunningAction.RETRY, each) for each in minutes)
