"""Which stories are told: what the processor does, who else acts, where it crashes.

A story is one line of text, so that whatever was found can be told again word for word:
`charge/timeout_charged/twice/void/-/17/pay_invoice.charge.before_send:1`.
"""

from collections.abc import Iterator
from itertools import product
from typing import Final

from msgspec import Struct
from tests.support.crash import Fault

from bursar.domain.frozen import replace

GOOD_CARD: Final = "4242424242424242"
BAD_CARD: Final = "4000000000000002"
ASKING_CARD: Final = "4000002760003184"
SLOW_CARD: Final = "4000900000000011"
SLOW_BAD_CARD: Final = "4000900000000029"
GOOD_METHOD: Final = "pm_card_visa"
BAD_METHOD: Final = "pm_card_chargeCustomerFail"
ASKING_METHOD: Final = "pm_card_authenticationRequired"


class Play(Struct, frozen=True):
    """What the processor and the customer do with an attempt.

    `line` is a fault of the line at the first request with an effect; `page` is what the customer
    does, step by step: a card that is typed, how a challenge ends, or `expire`.
    """

    method: str = GOOD_METHOD
    line: str | None = None
    page: tuple[str, ...] = ()
    is_challenged: bool = False


CHARGES: Final = {
    "succeeded": Play(),
    "declined": Play(BAD_METHOD),
    "authentication_required": Play(ASKING_METHOD),
    "timeout_charged": Play(line="drop_after"),
    "error_charged": Play(line="error_after=500"),
    "gateway_charged": Play(line="error_after=502"),
    "dropped": Play(line="drop_before"),
    "timeout_declined": Play(BAD_METHOD, line="drop_after"),
    "processing_paid": Play("pm_sandbox_processing_30"),
    "processing_declined": Play("pm_sandbox_processing_30_insufficient_funds"),
    "challenge_done": Play(ASKING_METHOD, page=("complete",), is_challenged=True),
    "challenge_failed": Play(ASKING_METHOD, page=("fail",), is_challenged=True),
    "challenge_abandoned": Play(ASKING_METHOD, is_challenged=True),
}
PAGES: Final = {
    "paid": Play(page=(GOOD_CARD,)),
    "expired": Play(page=("expire",)),
    "declined_then_paid": Play(page=(BAD_CARD, GOOD_CARD)),
    "challenge_done": Play(page=(ASKING_CARD, "complete")),
    "challenge_failed": Play(page=(ASKING_CARD, "fail", "expire")),
    "challenge_abandoned": Play(page=(ASKING_CARD, "expire")),
    "processing_paid": Play(page=(SLOW_CARD,)),
    "processing_declined": Play(page=(SLOW_BAD_CARD,)),
    "timeout_paid": Play(line="drop_after", page=(GOOD_CARD,)),
    "error_paid": Play(line="error_after=500", page=(GOOD_CARD,)),
    "dropped_paid": Play(line="drop_before", page=(GOOD_CARD,)),
}
CLICKED: Final = ("paid", "expired", "declined_then_paid", "timeout_paid", "dropped_paid")
PLAYS: Final = {
    "charge": CHARGES,
    "checkout": PAGES,
    "link": {outcome: PAGES[outcome] for outcome in CLICKED},
}
"""By the stored method, by a page, and by the button behind an invoice's hosted link."""
OTHER_MODE: Final = {"charge": "checkout", "checkout": "charge", "link": "charge"}
WEBHOOKS: Final = ("none", "before", "early", "after", "twice")
"""When the processor's events come: never, before its answer is read, while the answer's own
transaction is open, later, or later and twice."""
RIVALS: Final = ("none", "second", "void", "switch")
"""Who else acts: nobody, the same in a second request, somebody who voids, or the other mode."""
LISTENERS: Final = ("ok", "flaky")
"""An endpoint of the organization's own: it answers, or it answers 500 first."""
NOBODY_LISTENS: Final = "-"


class Setting(Struct, frozen=True):
    """A story without its crashes and without its chance."""

    mode: str
    outcome: str
    webhooks: str
    rival: str
    listener: str = NOBODY_LISTENS

    @property
    def play(self) -> Play:
        return PLAYS[self.mode][self.outcome]

    @property
    def theme(self) -> str:
        """What every point is crossed with."""
        return f"{self.mode}/{self.outcome}"

    def __str__(self) -> str:
        return f"{self.theme}/{self.webhooks}/{self.rival}/{self.listener}"


TRANSFER: Final = "transfer"
PROVOKED: Final = ("none", "later", "refuse", "time_out")
"""What becomes of the credit: good at once, good in a commit of its own, refused, unanswered."""
WAYS: Final = ("single", "batch", "crowd")
"""Alone; among others in one request, of which one asks too much and one comes twice; or in a crowd
of requests that share their commits."""
TRANSFER_RIVALS: Final = ("none", "second", "close", "opposite", "spend")
"""Who else acts: nobody, the same under another key, somebody who closes the receiver, a transfer
the other way, somebody who takes all the sender has."""


class TransferSetting(Struct, frozen=True):
    """The same of a story about a transfer."""

    outcome: str
    way: str
    rival: str

    @property
    def theme(self) -> str:
        """What every point is crossed with."""
        return f"{TRANSFER}/{self.outcome}"

    def __str__(self) -> str:
        return f"{self.theme}/{self.way}/{self.rival}/-"


AnySetting = Setting | TransferSetting


class Story(Struct, frozen=True):
    """One world: a setting, its chance, and the points at which the process dies."""

    setting: AnySetting
    seed: int
    faults: tuple[Fault, ...] = ()

    def with_fault(self, fault: Fault) -> "Story":
        return replace(self, faults=(*self.faults, fault))

    def __str__(self) -> str:
        faults = "+".join(map(str, self.faults))
        return f"{self.setting}/{self.seed}/{faults}"

    @classmethod
    def read(cls, text: str) -> "Story":
        mode, outcome, order, rival, listener, seed, faults = text.split("/")
        read = tuple(Fault.read(each) for each in faults.split("+") if each)
        setting: AnySetting = Setting(mode, outcome, order, rival, listener)
        if mode == TRANSFER:
            setting = TransferSetting(outcome, order, rival)
        return cls(setting, int(seed), read)


def settings() -> Iterator[AnySetting]:
    """Every setting, the plain ones first."""
    for mode, plays in PLAYS.items():
        for webhooks, rival, outcome in product(WEBHOOKS, RIVALS, plays):
            yield Setting(mode, outcome, webhooks, rival)
    for mode, listener in product(PLAYS, LISTENERS):
        outcome = next(iter(PLAYS[mode]))
        yield Setting(mode, outcome, "after", "none", listener)
    for outcome, way, rival in product(PROVOKED, WAYS, TRANSFER_RIVALS):
        yield TransferSetting(outcome, way, rival)
