"""`bursar transaction`: move value between wallets, and see what became of it."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, DryRun, Limit, Org, Reason, Yes, an_id, confirm, desk
from bursar.cli.narrowing import OldestFirst, Since, Until, utc, wallet_of
from bursar.cli.output import Output, show_list, show_one
from bursar.domain.ids import TransferId, WalletId
from bursar.domain.shapes.transfers import TransferOut
from bursar.domain.transfers import TransferStatus
from bursar.flows.resume_transfer import resume_transfer
from bursar.flows.transfer_money import transfer_money
from bursar.operations.transfers import PostTransfer
from bursar.reads.transfers import TransferFilters, transfer, transfers
from bursar.runtime.idempotency import Answer

group = typer.Typer(help="Transfers between wallets.", no_args_is_help=True)

_COLUMNS = ("id", "fromWalletId", "toWalletId", "amountCents", "currency", "status", "createdAt")


@group.command("list")
def list_transfers(
    context: typer.Context,
    *,
    org: Org = None,
    wallet: Annotated[str | None, typer.Option(help="Only to or from it (wal_…).")] = None,
    status: Annotated[list[TransferStatus] | None, typer.Option(help="Only these.")] = None,
    from_wallet: Annotated[str | None, typer.Option(help="Only out of it (wal_…).")] = None,
    to_wallet: Annotated[str | None, typer.Option(help="Only into it (wal_…).")] = None,
    since: Since = None,
    until: Until = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List transfers, newest first."""
    filters = TransferFilters(
        from_wallet_id=wallet_of(from_wallet, name="--from-wallet"),
        to_wallet_id=wallet_of(to_wallet, name="--to-wallet"),
        wallet_id=wallet_of(wallet),
        statuses=tuple(status or ()),
        created_from=utc(since),
        created_before=utc(until),
    )
    found = desk(context).gather(
        lambda caller, page: caller.look(transfers, page, filters),
        limit,
        org=org,
        is_oldest_first=oldest_first,
    )
    show_list([TransferOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show_transfer(
    context: typer.Context, transaction_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Show one transfer with its history."""
    known = _id(transaction_id)
    found = desk(context).ask(lambda caller: caller.look(transfer, known), org=org)
    show_one(TransferOut.of(found), output)


@group.command("create")
def create_transfer(
    context: typer.Context,
    *,
    sender: Annotated[str, typer.Option("--from", help="Out of this wallet (wal_…).")],
    receiver: Annotated[str, typer.Option("--to", help="Into this wallet (wal_…).")],
    amount: Annotated[int, typer.Option(min=1, help="In the currency's minor unit.")],
    description: Annotated[str | None, typer.Option(help="For whoever reads it later.")] = None,
    org: Org = None,
    reason: Reason = None,
    dry_run: DryRun = False,
    yes: Yes = False,
    output: Output = None,
) -> None:
    """Move an amount from one wallet to another."""
    command = PostTransfer(
        from_wallet_id=WalletId(an_id(sender, prefix="wal", name="--from")),
        to_wallet_id=WalletId(an_id(receiver, prefix="wal", name="--to")),
        amount_minor=amount,
        description=description,
    )
    confirm(f"Move {amount} from {sender} to {receiver}?", is_agreed=yes or dry_run)
    moved = desk(context).ask(
        lambda caller: transfer_money(caller, command, lambda _: Answer(201, b"")),
        org=org,
        reason=reason,
        is_dry_run=dry_run,
    )
    show_one(TransferOut.of(moved), output)


@group.command("resume")
def resume_one(
    context: typer.Context, transaction_id: str, *, org: Org = None, output: Output = None
) -> None:
    """Settle a transfer that was only debited, without waiting for the agenda."""
    known = _id(transaction_id)
    settled = desk(context).ask(lambda caller: resume_transfer(caller, known), org=org)
    show_one(TransferOut.of(settled), output)


def _id(text: str) -> TransferId:
    return TransferId(an_id(text, prefix="txn", name="transaction_id"))
