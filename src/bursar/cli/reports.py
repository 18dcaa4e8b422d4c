"""`bursar report`: figures over the books."""

import typer

from bursar.cli.desk import Org, Output, desk
from bursar.cli.failing import Exit
from bursar.cli.output import Format, plain, show_list
from bursar.domain.shapes.ledger import TrialBalanceOut
from bursar.reads.ledger import trial_balance

group = typer.Typer(help="Reports.", no_args_is_help=True)

_COLUMNS = ("account", "kind", "debitCents", "creditCents", "currency")


@group.command("trial-balance")
def show_trial_balance(context: typer.Context, *, org: Org = None, output: Output = None) -> None:
    """Every account with its balance, and the proof that they sum to zero."""
    held = desk(context).ask(lambda caller: caller.look(trial_balance), org=org)
    balances = TrialBalanceOut.of(held)
    if output in {Format.JSON, Format.JSONL}:
        show_list(balances, _COLUMNS, output)
    else:
        rows = [
            {**plain(row), "currency": balance.currency}
            for balance in balances
            for row in (*balance.rows, _total(balance))
        ]
        show_list(rows, _COLUMNS, output)
    if not all(balance.is_balanced for balance in balances):
        raise typer.Exit(Exit.PROBLEMS)


def _total(balance: TrialBalanceOut) -> dict[str, object]:
    return {
        "account": "total",
        "kind": "",
        "debitCents": balance.debit_cents,
        "creditCents": balance.credit_cents,
    }
