"""Moves an amount from one wallet to another: take it, and settle what was only debited.

Most transfers are done with the first commit. Where the credit may fail, the debit is committed
alone, so that whatever happens next finds it written down; the agenda finds it too.
"""

from collections.abc import Callable

from bursar.domain.transfers import Transfer
from bursar.operations.transfers import (
    Outcome,
    Overtaken,
    PostTransfer,
    PostTransfers,
    SettleTransfer,
    post_together,
    post_transfer,
    post_transfers,
    settle_transfer,
)
from bursar.runtime.app import Caller
from bursar.runtime.convoys import Booking, GoAlone, ride
from bursar.runtime.idempotency import Answer


async def transfer_money(
    caller: Caller, command: PostTransfer, answer: Callable[[Transfer], Answer]
) -> Transfer:
    """One transfer; it comes back DEBITED only when nobody answered for the receiver yet.

    It shares its commit with whatever else the organization moves at this time.

    Raises:
        Refusal: the transfer may not be; nothing moved.
    """

    def when_done(seen: Transfer) -> Answer | None:
        return None if seen.is_open else answer(seen)

    try:
        taken = await ride(post_together, Booking(caller, command, when_done, _id_of))
    except GoAlone:
        taken = await caller.run(post_transfer, command, answer=when_done)
    if taken.is_open and not caller.is_dry_run:
        taken = await caller.run(settle_transfer, SettleTransfer(taken.id), answer=answer)
    if not taken.is_open:
        _tell(caller, taken)
    return taken


async def transfer_many(
    caller: Caller,
    commands: tuple[PostTransfer, ...],
    answer: Callable[[tuple[Outcome, ...]], Answer],
) -> tuple[Outcome, ...]:
    """Many transfers in one commit: ahead of their locks, and under them if others were faster.

    Raises:
        Refusal: none of them may be asked for; one that is refused by itself is in the outcomes.
    """
    wish, outcomes = PostTransfers(commands, is_ahead=True), None
    while outcomes is None:
        try:
            outcomes = await caller.run(post_transfers, wish, answer=answer)
        except Overtaken:
            wish = PostTransfers(commands)  # under their locks nobody overtakes them
    for outcome in outcomes:
        if isinstance(outcome, Transfer) and not outcome.is_open:
            _tell(caller, outcome)
    return outcomes


def _tell(caller: Caller, ended: Transfer) -> None:
    caller.app.telemetry.transfer_ended(
        outcome=ended.status.value, minor=ended.amount.minor, lasted=ended.lasted
    )


def _id_of(transfer: Transfer) -> str:
    return transfer.id
