"""The client: each group of operations by name. Written by `make client`."""

from dataclasses import replace
from types import TracebackType
from typing import Self

from bursar_client import rooms
from bursar_client.wire import Wire


class Bursar:
    """The API at an address, as somebody: an API key, or a person's token and an organization."""

    def __init__(
        self,
        url: str,
        credential: str | None = None,
        *,
        org_id: str | None = None,
        timeout_seconds: float = 30.0,
        tries_max: int = 4,
    ) -> None:
        wire = Wire(url, credential, org_id, timeout_seconds, tries_max)
        self._over(wire)

    def because(self, reason: str) -> Self:
        """The same, and every change says why: the reason stands in the audit log."""
        other = object.__new__(type(self))
        other._over(replace(self.wire, reason=reason))
        return other

    def close(self) -> None:
        """Close this thread's connection."""
        self.wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _over(self, wire: Wire) -> None:
        self.wire = wire
        self.auth = rooms.Auth(self.wire)
        self.account = rooms.Account(self.wire)
        self.organizations = rooms.Organizations(self.wire)
        self.members = rooms.Members(self.wire)
        self.permissions = rooms.Permissions(self.wire)
        self.api_keys = rooms.ApiKeys(self.wire)
        self.customers = rooms.Customers(self.wire)
        self.payment_methods = rooms.PaymentMethods(self.wire)
        self.plans = rooms.Plans(self.wire)
        self.meters = rooms.Meters(self.wire)
        self.subscriptions = rooms.Subscriptions(self.wire)
        self.usage = rooms.Usage(self.wire)
        self.coupons = rooms.Coupons(self.wire)
        self.tax_rates = rooms.TaxRates(self.wire)
        self.credit_notes = rooms.CreditNotes(self.wire)
        self.invoices = rooms.Invoices(self.wire)
        self.recurring_invoices = rooms.RecurringInvoices(self.wire)
        self.payments = rooms.Payments(self.wire)
        self.refunds = rooms.Refunds(self.wire)
        self.dunning = rooms.Dunning(self.wire)
        self.disputes = rooms.Disputes(self.wire)
        self.payouts = rooms.Payouts(self.wire)
        self.wallets = rooms.Wallets(self.wire)
        self.holds = rooms.Holds(self.wire)
        self.transactions = rooms.Transactions(self.wire)
        self.ledger = rooms.Ledger(self.wire)
        self.reconciliation = rooms.Reconciliation(self.wire)
        self.webhooks = rooms.Webhooks(self.wire)
        self.webhook_deliveries = rooms.WebhookDeliveries(self.wire)
        self.document_settings = rooms.DocumentSettings(self.wire)
        self.emails = rooms.Emails(self.wire)
        self.exports = rooms.Exports(self.wire)
        self.imports = rooms.Imports(self.wire)
        self.events = rooms.Events(self.wire)
        self.audit_log = rooms.AuditLog(self.wire)
        self.test_clock = rooms.TestClock(self.wire)
        self.analytics = rooms.Analytics(self.wire)
        self.saved_views = rooms.SavedViews(self.wire)
        self.queues = rooms.Queues(self.wire)
