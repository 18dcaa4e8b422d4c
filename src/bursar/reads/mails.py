"""Looks at mail: to whom, of which kind and what became of it, never at what stands in it."""

from bursar.domain.access import Permission
from bursar.domain.ids import InvoiceId, uuid_of
from bursar.domain.mail_rows import row_to_mail
from bursar.domain.mails import Mail, MailStatus
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.counting import total_count
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.MAIL_READ)
async def mails(
    tx: ReadTx,
    page: Page,
    invoice_id: InvoiceId | None = None,
    statuses: tuple[MailStatus, ...] = (),
) -> Paged[Mail]:
    """The mail of the bound organization or person, newest first; about an invoice, if named."""
    org_id = uuid_of(tx.org_id)
    wanted = (
        None if invoice_id is None else uuid_of(invoice_id),
        [status.value for status in statuses] or None,
    )
    rows = await tx.fetch(
        Q.mails.along(page), org_id, page.after, page.fetched, page.offset, *wanted
    )
    count = await total_count(tx, page, rows, Q.count_mails, org_id, COUNTED_MAX, *wanted)
    return paged([*map(row_to_mail, rows)], page, total_count=count)
