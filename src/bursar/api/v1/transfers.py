"""`/v1/transactions`: stored value from one wallet to another."""

from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from bursar.api.envelope import created, once, resource, travelled
from bursar.api.errors import ErrorBody, told_of
from bursar.api.fields import (
    Body,
    CurrencyCode,
    Metadata,
    Moment,
    NoQuery,
    PositiveCents,
    Text500,
    WalletRef,
)
from bursar.api.filters import CreatedQuery, Values, several
from bursar.api.paging import pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission, Person
from bursar.domain.ids import TransferId
from bursar.domain.refusals import (
    InsufficientFunds,
    NotFound,
    Refusal,
    TransferAboveLimit,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.shapes.transfers import TransferOut
from bursar.domain.transfers import Transfer, TransferStatus
from bursar.flows.transfer_money import transfer_many, transfer_money
from bursar.operations.transfers import Outcome, PostTransfer
from bursar.reads.transfers import TransferFilters
from bursar.reads.transfers import transfer as transfer_look
from bursar.reads.transfers import transfers as transfers_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Transactions",
    prefix="/v1/transactions",
    about="Transfers between wallets: debited, credited, or given back; never half done.",
)

ItemKey: TypeAlias = Annotated[
    str,
    Meta(
        pattern=r"^[!-~](?:[ -~]{0,253}[!-~])?\Z",
        max_length=255,
        extra={"expected": "expected 1 to 255 printable ASCII characters"},
        examples=["payout-2026-03-02-0017"],
    ),
]


class NewTransfer(Body, frozen=True):
    """An amount to move. Without `fromWalletId` it is the caller's own wallet."""

    to_wallet_id: WalletRef
    amount_cents: PositiveCents
    from_wallet_id: WalletRef | None = None
    currency: CurrencyCode | None = None
    description: Text500 | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self, caller: Caller, key: str | None = None) -> PostTransfer:
        """What it asks for."""
        return PostTransfer(
            from_wallet_id=self.from_wallet_id,
            user_id=caller.actor.user_id if isinstance(caller.actor, Person) else None,
            to_wallet_id=self.to_wallet_id,
            amount_minor=self.amount_cents,
            currency=self.currency,
            description=self.description,
            metadata=self.metadata,
            key=key,
        )


class NewTransferItem(NewTransfer, frozen=True):
    """One of many. The same `idempotencyKey` never moves money twice, in whatever batch it is."""

    idempotency_key: ItemKey | None = None


class TransferBatch(Body, frozen=True):
    """Many transfers, taken in this order."""

    transactions: Annotated[list[NewTransferItem], Meta(min_length=1, max_length=1000)]


class TransferQuery(CreatedQuery, frozen=True):
    """Which transfers; `walletId` is on either end, `status` may name several."""

    from_wallet_id: WalletRef | None = None
    to_wallet_id: WalletRef | None = None
    wallet_id: WalletRef | None = None
    status: Values | None = None


class TransferResultOut(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one of many: a transaction, or an error as it would be for it alone."""

    index: int
    status: int
    transaction: TransferOut | None
    error: ErrorBody | None


class TransferBatchOut(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of each, in the order in which they were asked for."""

    object: Literal["transaction_batch"] = "transaction_batch"
    accepted: int
    refused: int
    results: tuple[TransferResultOut, ...]


@ROOM.post(
    "",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=NewTransfer,
        gives=TransferOut,
        status=201,
        is_express=True,
        refuses=(NotFound, InsufficientFunds, TransferAboveLimit, WalletClosed, WrongCurrency),
    ),
)
async def create_transaction(call: Call[NewTransfer, NoQuery]) -> Answer:
    """Move an amount from one wallet to another.

    It is debited and credited at once, or debited first and then credited or given back; `history`
    says which. `FAILED` says that the sender has the amount back, `DEBITED` that it is underway:
    look again, or wait for the event. In a sandbox organization the metadata key `provoke` asks for
    a credit that fails (`refuse`), that nobody answers (`time_out`) or that comes `later`.
    """
    reply = once(created(TransferOut.of, ROOM.prefix))
    command = call.body.to_command(call.caller)
    return await travelled(transfer_money(call.caller, command, reply), reply)


@ROOM.post(
    "/batch",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=TransferBatch,
        gives=TransferBatchOut,
        judges="transactions",
        is_express=True,
    ),
)
async def create_transactions(call: Call[list[NewTransferItem | Refusal], NoQuery]) -> Answer:
    """Move up to 1,000 amounts at once.

    Every item has an answer of its own, by its `index`; one that is refused fails no other. They
    are taken in their order, so that what an earlier one brings a later one may spend.
    """
    caller, judged = call.caller, call.body
    commands = tuple(
        item.to_command(caller, item.idempotency_key)
        for item in judged
        if isinstance(item, NewTransferItem)
    )

    @once
    def reply(outcomes: tuple[Outcome, ...]) -> Answer:
        taken = iter(outcomes)
        merged = (item if isinstance(item, Refusal) else next(taken) for item in judged)
        return resource(_batch_out(merged, caller.request_id))

    return await travelled(transfer_many(caller, commands, reply), reply)


@ROOM.get(
    "",
    Terms(needs=Permission.WALLET_READ, gives=TransferOut, is_list=True, query=TransferQuery),
)
async def list_transactions(call: Call[None, TransferQuery]) -> Answer:
    """List transactions, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = TransferFilters(
        from_wallet_id=query.from_wallet_id,
        to_wallet_id=query.to_wallet_id,
        wallet_id=query.wallet_id,
        statuses=several(query.status, TransferStatus, TransferStatus, field="status"),
        created_from=Moment.plainly(query.created_from),
        created_before=Moment.plainly(query.created_before),
    )
    shown = await call.caller.look(transfers_look, page, filters)
    return piece(call.caller, page, shown, TransferOut.of)


@ROOM.get(
    "/{transactionId}",
    Terms(needs=Permission.WALLET_READ, gives=TransferOut, refuses=(NotFound,)),
)
async def get_transaction(call: Call[None, NoQuery]) -> Answer:
    """Get a transaction with its history."""
    transfer_id = TransferId(call.id("transactionId"))
    return resource(TransferOut.of(await call.caller.look(transfer_look, transfer_id)))


def _batch_out(outcomes: Iterable[Outcome], request_id: str) -> TransferBatchOut:
    results = tuple(
        _result_out(index, outcome, request_id) for index, outcome in enumerate(outcomes)
    )
    accepted = sum(result.error is None for result in results)
    return TransferBatchOut(accepted=accepted, refused=len(results) - accepted, results=results)


def _result_out(index: int, outcome: Outcome, request_id: str) -> TransferResultOut:
    if isinstance(outcome, Transfer):
        shown = TransferOut.of(outcome)
        return TransferResultOut(index=index, status=201, transaction=shown, error=None)
    status, error = told_of(outcome, request_id)
    return TransferResultOut(index=index, status=status, transaction=None, error=error)
