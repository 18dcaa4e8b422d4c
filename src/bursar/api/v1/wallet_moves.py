"""`/v1/wallets/me` and what moves money: deposits, withdrawals, history, the end of a wallet."""

from typing import Any, Final, Literal

from bursar.api.envelope import changed, found, resource, travelled
from bursar.api.fields import (
    Body,
    CurrencyCode,
    DryRun,
    MethodName,
    NoQuery,
    Nothing,
    PositiveCents,
    Url,
)
from bursar.api.paging import NewestQuery, pages, piece
from bursar.api.paying import DepositOut, Wish, deposit_command, deposited_reply
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission, Person
from bursar.domain.ids import UserId, WalletId
from bursar.domain.payments import PaymentMode
from bursar.domain.refusals import (
    AmountTooLarge,
    CustomerHasNoMethod,
    IllegalTransition,
    InsufficientFunds,
    NotAllowed,
    NotFound,
    PaymentDeclined,
    ProviderNotConfigured,
    StillInUse,
    WalletClosed,
    WrongCurrency,
)
from bursar.domain.shapes.wallets import WalletBalanceOut, WalletEntryOut, WalletOut
from bursar.domain.wallets import Wallet
from bursar.flows.deposit_money import deposit_money
from bursar.operations.wallets import (
    CloseWallet,
    OpenOwnWallet,
    WithdrawMoney,
    close_wallet,
    open_own_wallet,
    withdraw_money,
)
from bursar.reads.wallets import own_history, own_wallet, wallet_history
from bursar.reads.wallets import wallet as wallet_look
from bursar.runtime.app import Caller
from bursar.runtime.idempotency import Answer

ROOM = Room("Wallets", prefix="/v1/wallets", about="Money in, money out, and what became of it.")

_NOT_TAKEN: Final = (
    WalletClosed,
    WrongCurrency,
    AmountTooLarge,
    PaymentDeclined,
    CustomerHasNoMethod,
    ProviderNotConfigured,
)
_COMES_LATER: Final = {
    201: "A hosted checkout page waits at `checkoutUrl`.",
    202: "The outcome is not known yet; an event tells it.",
}


class AmountBody(Body, frozen=True):
    """How much; the currency, if it is named, is the wallet's."""

    amount_cents: PositiveCents
    currency: CurrencyCode | None = None


class DepositBody(AmountBody, frozen=True):
    """How much, and how it comes: in a sandbox organization at once, unless a `mode` is named."""

    mode: Literal["checkout", "charge"] | None = None
    payment_method_id: MethodName | None = None
    success_url: Url | None = None
    cancel_url: Url | None = None

    @property
    def wish(self) -> Wish | None:
        """How somebody wants to pay; None: at once where that can be, else by checkout."""
        if self.mode is None and self.success_url is self.cancel_url is None:
            return None
        return Wish(
            mode=PaymentMode(self.mode or "checkout"),
            method_reference=self.payment_method_id,
            success_url=self.success_url,
            cancel_url=self.cancel_url,
        )


def _id(call: Call[Any, Any]) -> WalletId:
    return WalletId(call.id("walletId"))


def _own_user_id(caller: Caller) -> UserId:
    if not isinstance(caller.actor, Person):
        needed = Permission.SELF.value
        message = f"Only a person has a wallet of their own; this needs {needed}."
        raise NotAllowed(message, facts={"permission": needed})
    return caller.actor.user_id


async def _own(caller: Caller) -> Wallet:
    """The caller's wallet, made at first use."""
    user_id = _own_user_id(caller)
    known = await caller.look(own_wallet, user_id)
    if known is not None:
        return known
    return await caller.run(open_own_wallet, OpenOwnWallet(user_id))


@ROOM.get("/me", Terms(needs=Permission.SELF, gives=WalletOut, refuses=(NotFound,)))
async def get_own_wallet(call: Call[None, NoQuery]) -> Answer:
    """Get one's own wallet; it is made at first use.

    Being a member of the organization suffices. It is in the organization's currency.
    """
    return resource(WalletOut.of(await _own(call.caller)))


@ROOM.get(
    "/me/history",
    Terms(
        needs=Permission.SELF,
        gives=WalletEntryOut,
        is_list=True,
        query=NewestQuery,
        refuses=(NotFound,),
    ),
)
async def list_own_history(call: Call[None, NewestQuery]) -> Answer:
    """List what came into one's own wallet and went out, newest first."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(own_history, _own_user_id(call.caller), page)
    return piece(call.caller, page, shown, WalletEntryOut.of)


@ROOM.post(
    "/me/deposit",
    Terms(
        needs=Permission.SELF,
        takes=DepositBody,
        gives=DepositOut,
        query=DryRun,
        also=_COMES_LATER,
        refuses=(NotFound, *_NOT_TAKEN),
    ),
)
async def deposit_into_own_wallet(call: Call[DepositBody, DryRun]) -> Answer:
    """Store money in one's own wallet.

    At once in a sandbox organization; a live one opens a hosted page at `checkoutUrl`.
    """
    wallet = await _own(call.caller)
    return await _deposited(call, wallet.id, is_own=True)


@ROOM.post(
    "/{walletId}/deposit",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=DepositBody,
        gives=DepositOut,
        query=DryRun,
        also=_COMES_LATER,
        refuses=(NotFound, *_NOT_TAKEN),
    ),
)
async def deposit_into_wallet(call: Call[DepositBody, DryRun]) -> Answer:
    """Store money in a wallet.

    At once in a sandbox organization, unless a `mode` is named; in a live one by a hosted page, or
    by the stored method of the wallet's customer.
    """
    return await _deposited(call, _id(call))


@ROOM.post(
    "/{walletId}/withdraw",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=AmountBody,
        gives=WalletOut,
        query=DryRun,
        refuses=(NotFound, InsufficientFunds, WalletClosed, WrongCurrency),
    ),
)
async def withdraw_from_wallet(call: Call[AmountBody, DryRun]) -> Answer:
    """Pay stored money out.

    It goes to the bank, in a sandbox organization to nowhere. Only what is available can go; what
    open holds set aside cannot.
    """
    body = call.body
    command = WithdrawMoney(
        wallet_id=_id(call), amount_minor=body.amount_cents, currency=body.currency
    )
    return await changed(call.caller, withdraw_money, command, found(WalletOut.of))


@ROOM.post(
    "/{walletId}/close",
    Terms(
        needs=Permission.WALLET_MOVE,
        takes=Nothing,
        gives=WalletOut,
        refuses=(NotFound, IllegalTransition, StillInUse),
    ),
)
async def close_a_wallet(call: Call[Nothing, NoQuery]) -> Answer:
    """Close a wallet that is empty and holds nothing; it takes no more part in any move."""
    command = CloseWallet(_id(call))
    return await changed(call.caller, close_wallet, command, found(WalletOut.of))


@ROOM.get(
    "/{walletId}/balance",
    Terms(needs=Permission.WALLET_READ, gives=WalletBalanceOut, refuses=(NotFound,)),
)
async def get_wallet_balance(call: Call[None, NoQuery]) -> Answer:
    """Get what a wallet has, what of it is held, and what is available."""
    return resource(WalletBalanceOut.of(await call.caller.look(wallet_look, _id(call))))


@ROOM.get(
    "/{walletId}/history",
    Terms(
        needs=Permission.WALLET_READ,
        gives=WalletEntryOut,
        is_list=True,
        query=NewestQuery,
        refuses=(NotFound,),
    ),
)
async def list_wallet_history(call: Call[None, NewestQuery]) -> Answer:
    """List what came into a wallet and went out, newest first, each with the balance it left."""
    page = pages(call.caller, call.query)
    shown = await call.caller.look(wallet_history, _id(call), page)
    return piece(call.caller, page, shown, WalletEntryOut.of)


async def _deposited(
    call: Call[DepositBody, DryRun], wallet_id: WalletId, *, is_own: bool = False
) -> Answer:
    body, caller = call.body, call.caller
    command = deposit_command(
        caller, wallet_id, cents=body.amount_cents, currency=body.currency, wish=body.wish
    )
    reply = deposited_reply(caller)
    return await travelled(deposit_money(caller, command, reply, is_own=is_own), reply)
