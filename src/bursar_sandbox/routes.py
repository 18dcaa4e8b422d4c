"""The published routes and the room that answers each of them."""

import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from bursar_sandbox.core.wire import Thing
from bursar_sandbox.resources import (
    balance,
    charges,
    charging,
    checkout_sessions,
    customers,
    disputes,
    events,
    payment_intents,
    payment_methods,
    refunds,
    setup_intents,
    webhook_endpoints,
)

# An act takes the work, the request's fields, and one text for every `{}` of its pattern.
Act = Callable[..., Thing]


class Route(Struct, frozen=True):
    """One method and path pattern."""

    method: str
    pattern: str
    act: Act

    def regex(self) -> re.Pattern[str]:
        return re.compile(re.escape(self.pattern).replace(r"\{\}", r"([A-Za-z0-9_.-]{1,255})"))


CRUD: tuple[tuple[str, Any, str], ...] = (
    ("/v1/customers", customers, "create update retrieve delete listed"),
    ("/v1/payment_methods", payment_methods, "create update retrieve listed"),
    ("/v1/payment_intents", payment_intents, "create update retrieve listed"),
    ("/v1/setup_intents", setup_intents, "create retrieve listed"),
    ("/v1/checkout/sessions", checkout_sessions, "create update retrieve listed"),
    ("/v1/charges", charges, "update retrieve listed"),
    ("/v1/refunds", refunds, "create update retrieve listed"),
    ("/v1/disputes", disputes, "update retrieve listed"),
    ("/v1/balance_transactions", balance, "retrieve listed"),
    ("/v1/events", events, "retrieve listed"),
    ("/v1/webhook_endpoints", webhook_endpoints, "create update retrieve delete listed"),
)
VERBS = {
    "create": ("POST", ""),
    "update": ("POST", "/{}"),
    "retrieve": ("GET", "/{}"),
    "delete": ("DELETE", "/{}"),
    "listed": ("GET", ""),
}
SPECIAL = (
    Route("GET", "/v1/payment_intents/search", payment_intents.searched),
    Route("GET", "/v1/customers/search", customers.searched),
    Route("GET", "/v1/charges/search", charges.searched),
    Route("POST", "/v1/payment_intents/{}/confirm", payment_intents.confirm),
    Route("POST", "/v1/payment_intents/{}/cancel", payment_intents.cancel),
    Route("POST", "/v1/setup_intents/{}/confirm", setup_intents.confirm),
    Route("POST", "/v1/setup_intents/{}/cancel", setup_intents.cancel),
    Route("POST", "/v1/payment_methods/{}/attach", payment_methods.attach),
    Route("POST", "/v1/payment_methods/{}/detach", payment_methods.detach),
    Route("GET", "/v1/customers/{}/payment_methods", customers.methods),
    Route("GET", "/v1/customers/{}/payment_methods/{}", customers.method),
    Route("POST", "/v1/checkout/sessions/{}/expire", checkout_sessions.expire),
    Route("GET", "/v1/checkout/sessions/{}/line_items", checkout_sessions.line_items),
    Route("GET", "/v1/charges/{}/refunds", refunds.of_charge),
    Route("POST", "/v1/disputes/{}/close", disputes.give_up),
    Route("GET", "/v1/balance", balance.balance),
    Route("GET", "/v1/payouts", balance.payouts),
    Route("GET", "/v1/payouts/{}", balance.payout),
)
ROUTES = SPECIAL + tuple(
    Route(VERBS[verb][0], path + VERBS[verb][1], getattr(room, verb))
    for path, room, verbs in CRUD
    for verb in verbs.split()
)
LATER: dict[str, Callable[[Any, str], object]] = {
    balance.PAYOUT_ACT: balance.pay_out,
    balance.PAID_ACT: balance.land_payout,
    refunds.SETTLE_ACT: refunds.settle,
    refunds.FAIL_ACT: refunds.fail,
    checkout_sessions.EXPIRE_ACT: checkout_sessions.expire_due,
    charging.SETTLE_ACT: checkout_sessions.settle_due,
}


class RouteTable:
    """Finds the act of a request."""

    def __init__(self, routes: tuple[Route, ...]) -> None:
        self.routes = routes
        self._compiled = [(route, route.regex()) for route in routes]

    def find(self, method: str, path: str) -> tuple[Act, tuple[str, ...]] | None:
        for route, regex in self._compiled:
            if route.method == method and (match := regex.fullmatch(path)):
                return route.act, match.groups()
        return None


PUBLISHED = RouteTable(ROUTES)
