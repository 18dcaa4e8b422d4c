"""Looks at mail: to whom, of which kind and what became of it, never at what stands in it."""

from bursar.domain.access import Permission
from bursar.domain.ids import uuid_of
from bursar.domain.mail_rows import row_to_mail
from bursar.domain.mails import Mail
from bursar.domain.paging import COUNTED_MAX, Page, Paged, paged
from bursar.runtime import sql
from bursar.runtime.app import query
from bursar.runtime.db import ReadTx

Q = sql.beside(__file__)


@query(requires=Permission.MAIL_READ)
async def mails(tx: ReadTx, page: Page) -> Paged[Mail]:
    """The mail of the bound organization or person, newest first."""
    org_id = uuid_of(tx.org_id)
    rows = await tx.fetch(Q.mails, org_id, page.after, page.fetched, page.offset)
    count = 0 if page.is_cursor else await tx.fetchval(Q.count_mails, org_id, COUNTED_MAX)
    return paged([*map(row_to_mail, rows)], page, total_count=count)
