"""`/v1/holds`: money of a wallet set aside, taken or freed."""

from typing import Any

import msgspec

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    Body,
    CurrencyCode,
    DryRun,
    Metadata,
    Moment,
    NoQuery,
    Nothing,
    PositiveCents,
    Text500,
    WalletRef,
)
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.holds import HoldStatus
from bursar.domain.ids import HoldId, WalletId
from bursar.domain.refusals import (
    HoldOverdue,
    IllegalTransition,
    InsufficientFunds,
    NotFound,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.shapes.holds import HoldOut
from bursar.operations.holds import (
    CaptureHold,
    CreateHold,
    SettleHold,
    capture_hold,
    create_hold,
    release_hold,
)
from bursar.reads.holds import HoldFilters
from bursar.reads.holds import hold as hold_look
from bursar.reads.holds import holds as holds_look
from bursar.runtime.idempotency import Answer

ROOM = Room("Holds", prefix="/v1", about="Money of a wallet set aside until it is taken or freed.")


class NewHold(Body, frozen=True):
    """How much to set aside, and until when; a week unless it is said."""

    amount_cents: PositiveCents
    currency: CurrencyCode | None = None
    expires_at: Moment | None = None
    description: Text500 | None = None
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self, wallet_id: WalletId) -> CreateHold:
        """What it asks for."""
        return CreateHold(
            wallet_id=wallet_id,
            amount_minor=self.amount_cents,
            currency=self.currency,
            expires_at=Moment.plainly(self.expires_at),
            description=self.description,
            metadata=self.metadata,
        )


class CaptureBody(Body, frozen=True):
    """How much to take; all of it, when nothing is said."""

    amount_cents: PositiveCents | None = None


class HoldQuery(ListQuery, frozen=True):
    """Which holds; `status` may name several."""

    wallet_id: WalletRef | None = None
    status: Values | None = None


def _id(call: Call[Any, Any]) -> HoldId:
    return HoldId(call.id("holdId"))


@ROOM.post(
    "/wallets/{walletId}/holds",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=NewHold,
        gives=HoldOut,
        status=201,
        refuses=(NotFound, InsufficientFunds, WalletClosed, WrongCurrency),
    ),
)
async def authorize_hold(call: Call[NewHold, NoQuery]) -> Answer:
    """Set a part of a wallet's money aside.

    It stays in the wallet and is not available any more, until it is captured, released, or its
    time is over.
    """
    command = call.body.to_command(WalletId(call.id("walletId")))
    return await changed(call.caller, create_hold, command, created(HoldOut.of, "/v1/holds"))


@ROOM.get(
    "/holds",
    Terms(needs=Permission.WALLET_READ, gives=HoldOut, is_list=True, query=HoldQuery),
)
async def list_holds(call: Call[None, HoldQuery]) -> Answer:
    """List holds, newest first."""
    query, page = call.query, pages(call.caller, call.query)
    filters = HoldFilters(
        wallet_id=query.wallet_id,
        statuses=several(query.status, HoldStatus, HoldStatus, field="status"),
    )
    return piece(call.caller, page, await call.caller.look(holds_look, page, filters), HoldOut.of)


@ROOM.get(
    "/holds/{holdId}", Terms(needs=Permission.WALLET_READ, gives=HoldOut, refuses=(NotFound,))
)
async def get_hold(call: Call[None, NoQuery]) -> Answer:
    """Get a hold."""
    return resource(HoldOut.of(await call.caller.look(hold_look, _id(call))))


@ROOM.post(
    "/holds/{holdId}/capture",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=CaptureBody,
        gives=HoldOut,
        query=DryRun,
        refuses=(NotFound, IllegalTransition, HoldOverdue),
    ),
)
async def capture_a_hold(call: Call[CaptureBody, DryRun]) -> Answer:
    """Take what a hold set aside, all of it or a part.

    It leaves the wallet as a withdrawal does. A hold is captured once; the rest is free again.
    """
    command = CaptureHold(_id(call), call.body.amount_cents)
    return await changed(call.caller, capture_hold, command, found(HoldOut.of))


@ROOM.post(
    "/holds/{holdId}/release",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=Nothing,
        gives=HoldOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def release_a_hold(call: Call[Nothing, NoQuery]) -> Answer:
    """Free what a hold set aside."""
    return await changed(call.caller, release_hold, SettleHold(_id(call)), found(HoldOut.of))
