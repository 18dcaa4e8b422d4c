"""Dunning: what becomes of an invoice whose automatic payment failed, until it is settled.

One case for each invoice, with the policy as it was when it began. A decline moves it one step on;
what failed for technical reasons does not. What the bank said decides whether the same method is
charged again: where it asked for another one, or for the cardholder, the customer is asked instead,
and where it said never, no retry is left. Who pays in whatever way ends the case.
"""

from datetime import timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.agenda import Due, DueKind, Undue
from bursar.domain.change import Change
from bursar.domain.dunning_events import (
    DunningEscalated,
    DunningNotified,
    DunningPaused,
    DunningResolved,
    DunningResumed,
    DunningRetryScheduled,
    DunningStarted,
    DunningUpdated,
)
from bursar.domain.dunning_policies import DunningAction, DunningPolicy, DunningStep
from bursar.domain.events import Event
from bursar.domain.frozen import replace
from bursar.domain.ids import CustomerId, DunningCaseId, InvoiceId, SubscriptionId
from bursar.domain.provider import DeclineKind
from bursar.domain.refusals import IllegalTransition
from bursar.domain.times import Instant

TECHNICAL_WAIT: Final = timedelta(minutes=15)
"""How long after a try that never reached the bank the same try is made again."""


class Resolution(StrEnum):
    """How a case ended."""

    PAID = "paid"
    VOIDED = "voided"
    UNCOLLECTIBLE = "uncollectible"
    BY_HAND = "by_hand"
    EXHAUSTED = "exhausted"  # every step was taken and the invoice is still open


class Decline(Struct, frozen=True):
    """What the bank said, and about which method."""

    kind: DeclineKind
    code: str | None
    method_reference: str | None


class DunningCase(Struct, frozen=True):
    """One invoice in dunning. `step` is the next one of the policy, due at `next_at`.

    `blocked_method` is not charged again. `rested_at` is when the subscription was paused because
    of this case; it goes on when nothing is open any more.
    """

    id: DunningCaseId
    invoice_id: InvoiceId
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    policy: DunningPolicy
    step: int
    retry_count: int
    current_action: DunningAction
    next_at: Instant | None
    decline_kind: DeclineKind | None  # None: the bank was never reached
    decline_code: str | None
    blocked_method: str | None
    rested_at: Instant | None
    paused_at: Instant | None
    pause_reason: str | None
    resolved_at: Instant | None
    resolution: Resolution | None
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    @property
    def is_open(self) -> bool:
        """Something is still to be done."""
        return self.resolved_at is None

    @property
    def attempt_key(self) -> str:
        """Names the try that would be made now; another one after every change."""
        return f"{attempt_prefix(self.id)}{self.version}"

    def is_due(self, at: Instant) -> bool:
        """Whether the next step is to be taken."""
        is_running = self.is_open and self.paused_at is None
        return is_running and self.next_at is not None and self.next_at <= at

    def may_charge(self, method_reference: str | None) -> bool:
        """Whether the customer's default method can be tried (again)."""
        return method_reference is not None and method_reference != self.blocked_method

    @property
    def look(self) -> Due | Undue:
        """When somebody must look at the case, as its own words say."""
        if not self.is_open or self.paused_at is not None or self.next_at is None:
            return Undue(DueKind.DUNNING, self.invoice_id)
        return Due(DueKind.DUNNING, self.invoice_id, self.next_at)

    def fail(self, decline: Decline, at: Instant) -> Change:
        """A try was declined: on to the next step; the first decline only begins the plan."""
        assert self.is_open
        is_first = self.decline_kind is None
        told = _blamed(self, decline)
        if not is_first:
            told = replace(told, retry_count=self.retry_count + 1)
        is_planned = self._planned is not None and self._planned.action is DunningAction.RETRY
        step = self.step + 1 if is_planned and not is_first else self.step
        return _stepped(self, told, _after_decline(self.policy, decline, step), at)

    def again(self, at: Instant) -> Change:
        """A try came to nothing for technical reasons: the same one later."""
        assert self.is_open
        after = replace(self, next_at=at + TECHNICAL_WAIT, version=self.version + 1)
        return _told(after, DunningUpdated(after, self))

    def ask(self, at: Instant) -> Change:
        """The customer is asked for another way to pay, in place of a try or as a step."""
        assert self.is_open
        change = _stepped(self, self, self.step + 1, at)
        (after,) = change.rows
        assert isinstance(after, DunningCase)
        return replace(change, events=(DunningNotified(after, self), *change.events))

    def act(self, at: Instant, *, is_resting: bool = False) -> Change:
        """A step was taken that needs no card: on to the next one."""
        assert self.is_open
        told = replace(self, rested_at=at if is_resting else self.rested_at)
        return _stepped(self, told, self.step + 1, at)

    def hurry(self, at: Instant) -> Change:
        """Try now, whatever the plan says; by hand, or because there is another method.

        Raises:
            IllegalTransition: the case is over.
        """
        self._require_open()
        after = replace(
            self,
            current_action=DunningAction.RETRY,
            next_at=at,
            blocked_method=None,
            paused_at=None,
            pause_reason=None,
            version=self.version + 1,
        )
        return _told(after, DunningRetryScheduled(after, self))

    def pause(self, reason: str, at: Instant) -> Change | None:
        """Do nothing until somebody says so.

        Raises:
            IllegalTransition: the case is over.
        """
        self._require_open()
        if self.paused_at is not None:
            return None
        after = replace(self, paused_at=at, pause_reason=reason, version=self.version + 1)
        return _told(after, DunningPaused(after, self))

    def resume(self, at: Instant) -> Change:
        """Go on; what would have been done meanwhile is due now.

        Raises:
            IllegalTransition: the case is over, or nobody paused it.
        """
        self._require_open()
        if self.paused_at is None:
            raise IllegalTransition(
                f"Dunning of {self.invoice_id} is not paused.", facts=self._facts()
            )
        assert self.next_at is not None
        next_at = max(self.next_at, at)
        after = replace(
            self, paused_at=None, pause_reason=None, next_at=next_at, version=self.version + 1
        )
        return _told(after, DunningResumed(after, self))

    def resolve(self, resolution: Resolution, at: Instant) -> Change:
        """It is over.

        Raises:
            IllegalTransition: it was over before.
        """
        self._require_open()
        after = replace(_over(self, resolution, at), version=self.version + 1)
        return _told(after, DunningResolved(after, self))

    @property
    def _planned(self) -> DunningStep | None:
        steps = self.policy.steps
        return steps[self.step] if self.step < len(steps) else None

    def _require_open(self) -> None:
        if not self.is_open:
            said = f"Dunning of {self.invoice_id} is over."
            raise IllegalTransition(said, facts=self._facts())

    def _facts(self) -> dict[str, object]:
        resolution = None if self.resolution is None else self.resolution.value
        return {"currentAction": self.current_action.value, "resolution": resolution}


class NewCase(Struct, frozen=True):
    """An invoice whose automatic payment has just failed for the first time."""

    id: DunningCaseId
    invoice_id: InvoiceId
    customer_id: CustomerId
    subscription_id: SubscriptionId | None
    policy: DunningPolicy


def begin(new: NewCase, decline: Decline, at: Instant) -> Change:
    """Dunning begins; with a policy without steps it is over as it begins."""
    blank = _blank(new, at)
    step = _after_decline(new.policy, decline, 0)
    change = _stepped(blank, _blamed(blank, decline), step, at)
    (begun,) = change.rows
    assert isinstance(begun, DunningCase)
    told = tuple(type(event)(begun, None) for event in change.events)
    return replace(change, events=(DunningStarted(begun), *told))


def begin_again(new: NewCase, at: Instant) -> Change:
    """An automatic payment came to nothing for technical reasons: it is made again, and no more."""
    begun = replace(_blank(new, at), next_at=at + TECHNICAL_WAIT, version=1)
    return Change((begun,), events=(DunningStarted(begun),), agenda=(begun.look,))


def _blank(new: NewCase, at: Instant) -> DunningCase:
    return DunningCase(
        id=new.id,
        invoice_id=new.invoice_id,
        customer_id=new.customer_id,
        subscription_id=new.subscription_id,
        policy=new.policy,
        step=0,
        retry_count=0,
        current_action=DunningAction.RETRY,
        next_at=None,
        decline_kind=None,
        decline_code=None,
        blocked_method=None,
        rested_at=None,
        paused_at=None,
        pause_reason=None,
        resolved_at=None,
        resolution=None,
        version=0,
        sequence=0,
        created_at=at,
        updated_at=at,
    )


def attempt_prefix(case_id: DunningCaseId) -> str:
    """What the keys of a case's own attempts begin with."""
    return f"dunning:{case_id}:"


def _blamed(case: DunningCase, decline: Decline) -> DunningCase:
    blocked = None if decline.kind is DeclineKind.RETRY else decline.method_reference
    return replace(
        case, decline_kind=decline.kind, decline_code=decline.code, blocked_method=blocked
    )


def _stepped(before: DunningCase, told: DunningCase, step: int, at: Instant) -> Change:
    """The case before a step; over, when there is none left."""
    steps = before.policy.steps
    if step >= len(steps):
        over = _over(told, Resolution.EXHAUSTED, at)
        after = replace(over, step=step, version=before.version + 1)
        return _told(after, DunningResolved(after, before))
    coming = steps[step]
    is_retry = coming.action is DunningAction.RETRY
    is_blocked = is_retry and told.blocked_method is not None
    after = replace(
        told,
        step=step,
        current_action=DunningAction.NOTIFY if is_blocked else coming.action,
        next_at=at + coming.wait,
        version=before.version + 1,
    )
    event = DunningRetryScheduled if is_retry else DunningEscalated
    return _told(after, event(after, before))


def _over(case: DunningCase, resolution: Resolution, at: Instant) -> DunningCase:
    return replace(
        case,
        next_at=None,
        paused_at=None,
        pause_reason=None,
        resolved_at=at,
        resolution=resolution,
    )


def _after_decline(policy: DunningPolicy, decline: Decline, step: int) -> int:
    """The step that comes next: past every retry where the bank said never."""
    return max(step, policy.retries_max) if decline.kind is DeclineKind.NEVER else step


def _told(after: DunningCase, event: Event) -> Change:
    return Change(rows=(after,), events=(event,), agenda=(after.look,))
