"""Every room of the API, in the order in which the documentation shows them."""

from collections import Counter
from typing import Final

from bursar.api.routes import Room, Route
from bursar.api.v1 import (
    account,
    analytics,
    api_keys,
    audit_log,
    auth,
    coupons,
    credit_notes,
    customers,
    disputes,
    document_settings,
    dunning,
    emails,
    events,
    exports,
    holds,
    imports,
    invoice_explanations,
    invoice_payments,
    invoices,
    ledger,
    members,
    meters,
    organizations,
    payment_methods,
    payments,
    payouts,
    permissions,
    plans,
    queues,
    reconciliation,
    recurring_invoices,
    refunds,
    saved_views,
    sending,
    subscriptions,
    tax_rates,
    test_clocks,
    transfers,
    usage,
    wallet_moves,
    wallets,
    webhook_deliveries,
    webhook_subscriptions,
)

ROOMS: Final[tuple[Room, ...]] = (
    auth.ROOM,
    account.ROOM,
    organizations.ROOM,
    members.ROOM,
    members.DOOR,
    permissions.ROOM,
    api_keys.ROOM,
    customers.ROOM,
    payment_methods.ROOM,
    plans.ROOM,
    meters.ROOM,
    subscriptions.ROOM,
    usage.ROOM,
    coupons.ROOM,
    tax_rates.ROOM,
    credit_notes.ROOM,
    invoices.ROOM,
    invoice_payments.ROOM,
    invoice_explanations.ROOM,
    sending.ROOM,
    recurring_invoices.ROOM,
    payments.ROOM,
    refunds.ROOM,
    dunning.ROOM,
    disputes.ROOM,
    payouts.ROOM,
    wallets.ROOM,
    wallet_moves.ROOM,
    holds.ROOM,
    transfers.ROOM,
    ledger.ROOM,
    reconciliation.ROOM,
    webhook_subscriptions.ROOM,
    webhook_deliveries.ROOM,
    document_settings.ROOM,
    emails.ROOM,
    exports.ROOM,
    imports.ROOM,
    events.ROOM,
    events.TYPES,
    audit_log.ROOM,
    test_clocks.ROOM,
    analytics.ROOM,
    saved_views.ROOM,
    queues.ROOM,
)


def _all_routes() -> tuple[Route, ...]:
    routes = tuple(route for room in ROOMS for route in room.routes)
    twice = [name for name, count in Counter(route.name for route in routes).items() if count > 1]
    assert not twice, f"two operations are called {twice}"
    return routes


ROUTES: Final = _all_routes()
