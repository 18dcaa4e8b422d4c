"""`bursar mail`: what is on its way out, and what stands in it where nothing can send it."""

from typing import Annotated

import typer

from bursar.cli.desk import ROWS, Limit, Org, an_id, desk, gather
from bursar.cli.narrowing import Invoice, OldestFirst, invoice_of
from bursar.cli.output import Output, show_list
from bursar.domain.ids import MailId, UserId, scope_of
from bursar.domain.mails import Mail, MailStatus, PrintedMail
from bursar.domain.refusals import NotFound
from bursar.domain.shapes.mails import EmailOut
from bursar.operations.mails import OpenMail, open_mail
from bursar.reads.mails import mails
from bursar.reads.users import user_of_email
from bursar.runtime.app import Caller

group = typer.Typer(help="Mail that left, or waits.", no_args_is_help=True)

_COLUMNS = ("id", "kind", "recipient", "status", "attemptCount", "failure", "createdAt")
Person = Annotated[
    str | None, typer.Option("--person", help="The address of a person, for their own mail.")
]


@group.command("list")
def list_mails(
    context: typer.Context,
    *,
    person: Person = None,
    org: Org = None,
    status: Annotated[list[MailStatus] | None, typer.Option(help="Only these.")] = None,
    invoice: Invoice = None,
    oldest_first: OldestFirst = False,
    limit: Limit = ROWS,
    output: Output = None,
) -> None:
    """List the mail of an organization, or of a person's own account, newest first."""
    about, statuses = invoice_of(invoice), tuple(status or ())

    async def act(caller: Caller) -> tuple[Mail, ...]:
        scoped = await _scoped(caller, person)
        return await gather(
            lambda page: scoped.look(mails, page, about, statuses),
            limit,
            is_oldest_first=oldest_first,
        )

    at = desk(context)
    found = at.ask(act, org=org) if person is None else at.ask_nowhere(act)
    show_list([EmailOut.of(each) for each in found], _COLUMNS, output)


@group.command("show")
def show(context: typer.Context, mail_id: str, *, person: Person = None, org: Org = None) -> None:
    """Print a mail that has not left, links and all."""
    known = MailId(an_id(mail_id, prefix="mail", name="mail_id"))

    async def act(caller: Caller) -> PrintedMail:
        scoped = await _scoped(caller, person)
        letter = await scoped.run(open_mail, OpenMail(known))
        return caller.app.mailer.print_letter(letter)

    at = desk(context)
    printed = at.ask(act, org=org) if person is None else at.ask_nowhere(act)
    print(f"Subject: {printed.subject}\n\n{printed.text}", end="")


async def _scoped(caller: Caller, email: str | None) -> Caller:
    """The caller in the person's own scope, if one is named."""
    if email is None:
        return caller
    found: UserId | None = await caller.look(user_of_email, email.lower())
    if found is None:
        raise NotFound(f"Nobody has the address {email}.")
    return caller.as_org(scope_of(found))
