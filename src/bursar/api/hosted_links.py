"""Links to the hosted page of an invoice: printed whenever they are needed, never stored."""

from bursar.domain.ids import OrgId, print_id, uuid_of
from bursar.domain.invoices import Invoice
from bursar.runtime.app import App, Caller
from bursar.runtime.tokens import HostedLink, print_hosted_token

PATH = "/i"


def hosted_url(app: App, org_id: OrgId, invoice: Invoice) -> str | None:
    """Where the customer sees and pays the invoice; a draft has no page."""
    if invoice.number is None:
        return None
    link = HostedLink(uuid_of(org_id), uuid_of(invoice.id), invoice.hosted_generation)
    return f"{app.settings.public_url.rstrip('/')}{PATH}/{print_hosted_token(app.keys, link)}"


def org_id_of(link: HostedLink) -> OrgId:
    """The organization a link leads into."""
    return OrgId(print_id("org", link.org_id))


def own_hosted_url(caller: Caller, invoice: Invoice) -> str | None:
    """The same, in the caller's organization."""
    assert caller.org_id is not None, "an invoice is somebody's"
    return hosted_url(caller.app, caller.org_id, invoice)
