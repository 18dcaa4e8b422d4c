"""The command line: `bursar <noun> <verb>`, and the programs that have no noun.

It names every command and loads none but the one that is called, nor the application before that
one asks for it.
"""

import runpy
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command

from bursar.cli.deferred import Deferred
from bursar.cli.entry import ASSEMBLY, PROGRAMS, refuse_optimized
from bursar.cli.failing import Exit, explained
from bursar.cli.programs import Programs
from bursar.runtime.connections import DatabaseAway
from bursar.runtime.release import VERSION
from bursar.runtime.settings import Settings

if TYPE_CHECKING:
    from bursar.runtime.app import App

# What help says of each command, and where it stands.
_ALONE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "migrate": ("bursar.cli.migrating:migrate", "Bring the database to this release's schema."),
        "verify": (
            "bursar.cli.verifying:verify",
            "Check that the books, the documents, the log and the processor agree; exit 9 if not.",
        ),
        "doctor": (
            "bursar.cli.doctor:examine",
            (
                "Look at everything that could be wrong, and say how to mend it; "
                "exit 9 if something is."
            ),
        ),
        "bench": (
            "bursar.cli.bench:measure_installation",
            "Measure this installation's database, disk, passwords and API; nothing is changed.",
        ),
        "backup": (
            "bursar.cli.backups:back_up",
            "Copy the database and what belongs to it into an empty folder, and prove the copy.",
        ),
        "restore": (
            "bursar.cli.restoring:restore",
            "Bring a backup back into DATA_DIR, which must hold no database, and verify it.",
        ),
    }
)
_NOUNS: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "org": ("bursar.cli.orgs:group", "Organizations."),
        "member": ("bursar.cli.members:group", "Members of an organization."),
        "customer": ("bursar.cli.customers:group", "Customers."),
        "import": ("bursar.cli.imports:group", "Taking over customers and balances."),
        "plan": ("bursar.cli.plans:group", "Plans."),
        "meter": ("bursar.cli.meters:group", "Meters."),
        "subscription": ("bursar.cli.subscriptions:group", "Subscriptions."),
        "usage": ("bursar.cli.usage:group", "Usage."),
        "invoice": ("bursar.cli.invoices:group", "Invoices."),
        "credit-note": ("bursar.cli.credit_notes:group", "What was taken back of invoices."),
        "coupon": ("bursar.cli.coupons:group", "Coupons."),
        "tax-rate": ("bursar.cli.tax_rates:group", "The table of taxes."),
        "recurring-invoice": (
            "bursar.cli.recurring_invoices:group",
            "Invoices that come by themselves.",
        ),
        "payment": ("bursar.cli.payments:group", "Payments."),
        "payment-method": ("bursar.cli.payment_methods:group", "Payment methods."),
        "payout": ("bursar.cli.payouts:group", "Payouts."),
        "dunning": ("bursar.cli.dunning:group", "Invoices whose automatic payment failed."),
        "wallet": ("bursar.cli.wallets:group", "Wallets and holds."),
        "transaction": ("bursar.cli.transfers:group", "Transfers between wallets."),
        "apikey": ("bursar.cli.api_keys:group", "API keys."),
        "webhook": ("bursar.cli.webhooks:group", "Webhook endpoints."),
        "mail": ("bursar.cli.mails:group", "Mail that left, or waits."),
        "event": ("bursar.cli.events:event_group", "The event feed."),
        "audit": ("bursar.cli.events:audit_group", "The audit log."),
        "ledger": ("bursar.cli.ledger:group", "The books."),
        "report": ("bursar.cli.reports:group", "Reports."),
        "queue": ("bursar.cli.queues:group", "Queues and dead letters."),
        "clock": ("bursar.cli.clocks:group", "The time of a sandbox organization."),
        "saved-view": ("bursar.cli.saved_views:group", "Saved views of the console."),
        "simulate": (
            "bursar.cli.simulate:group",
            "What could happen, made to happen where it hurts nobody.",
        ),
        "config": ("bursar.cli.configuration:group", "This installation's settings."),
    }
)
_PASSED_ON: Final = {"allow_extra_args": True, "ignore_unknown_options": True}


def build_root(programs: Programs) -> TyperGroup:
    """The whole command line."""
    root = typer.Typer(
        add_completion=True,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        help="Bursar: invoices, payments and their books.",
    )

    @root.callback()
    def begin(context: typer.Context) -> None:
        refuse_optimized()
        context.obj = programs

    @root.command("version")
    def version() -> None:
        """Print which release this is."""
        print(programs.version)

    for name, about in (
        ("run", "Start the API, workers and the sandbox processor, all in one."),
        ("demo", "Tell the whole story over real HTTP, a line a step."),
    ):
        root.command(name, help=about, context_settings=_PASSED_ON, add_help_option=False)(_beside)
    root.command("serve")(serve)
    root.command("worker")(work)
    group = get_command(root)
    assert isinstance(group, TyperGroup), "it has several commands"
    for name, (place, about) in {**_ALONE, **_NOUNS}.items():
        group.add_command(Deferred(name, place=place, about=about))
    return group


def serve(
    context: typer.Context,
    *,
    host: Annotated[
        str | None, typer.Option(help="Address to listen on; all of them in production.")
    ] = None,
) -> None:
    """Serve the API, until SIGTERM."""
    _pass_on(context.info_name, *(() if host is None else ("--host", host)))


def work(
    context: typer.Context,
    *,
    demo_org: Annotated[bool, typer.Option("--demo-org", hidden=True)] = False,
) -> None:
    """Work off the queues and everything that comes round by itself, until SIGTERM."""
    _pass_on(context.info_name, *(("--demo-org",) if demo_org else ()))


def _beside(context: typer.Context) -> None:
    _pass_on(context.info_name, *context.args)


def _pass_on(name: str | None, *arguments: str) -> None:
    """These programs stand beside the application; here they are only reached the long way."""
    assert name is not None, "whoever is passed on to has a name"
    sys.argv = [sys.argv[0], name, *arguments]
    runpy.run_module(PROGRAMS[name], run_name="__main__", alter_sys=True)


@asynccontextmanager
async def _opened(settings: Settings, part: str) -> "AsyncIterator[App]":
    """The application: named here, and loaded once a command asks for it."""
    async with import_module(ASSEMBLY).opened(settings, part) as app:
        yield app


def main() -> None:
    """The command line, with what it can open plugged in."""
    programs = Programs(opened=_opened, version=VERSION)
    with explained({DatabaseAway: Exit.UNREACHABLE, TimeoutError: Exit.UNREACHABLE}):
        build_root(programs)(prog_name="bursar")


if __name__ == "__main__":
    main()
