"""The story in its order, told scene by scene until one does not go as it should."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import msgspec

from bursar.cli.demo_accounts import make_api_key, make_customer, register_endpoint, sign_up
from bursar.cli.demo_cast import Cast, Scene
from bursar.cli.demo_http import Unexpected, understood
from bursar.cli.demo_invoices import (
    balance_books,
    draft_and_edit,
    finalize,
    open_hosted_page,
    read_pdf,
    read_timeline,
)
from bursar.cli.demo_payments import (
    charge_stored_card,
    hear_webhook,
    pay_at_once,
    pay_by_card,
    survive_decline,
)
from bursar.cli.demo_wallets import pay_by_wallet, store_money, transfer_value
from bursar.runtime.clock import monotonic

SCENES: Final[tuple[tuple[str, Scene], ...]] = (
    ("sign up", sign_up),
    ("API key", make_api_key),
    ("webhook endpoint", register_endpoint),
    ("customer", make_customer),
    ("draft invoice", draft_and_edit),
    ("finalize", finalize),
    ("PDF", read_pdf),
    ("hosted page", open_hosted_page),
    ("pay by card", pay_by_card),
    ("webhook", hear_webhook),
    ("stored card", charge_stored_card),
    ("declined card", survive_decline),
    ("fifty at once", pay_at_once),
    ("stored money", store_money),
    ("transfer", transfer_value),
    ("pay by wallet", pay_by_wallet),
    ("timeline", read_timeline),
    ("trial balance", balance_books),
)
VERIFY: Final = "verify"


class Step(msgspec.Struct, frozen=True):
    """What became of one step."""

    name: str
    ok: bool
    detail: str
    seconds: float


Tell = Callable[[Step], None]


async def tell_story(cast: Cast, tell: Tell) -> bool:
    """Every scene in order; whether all of them went well."""
    for name, scene in SCENES:
        if not await tell_step(name, partial(scene, cast), tell):
            return False
    return True


async def tell_step(name: str, act: Callable[[], Awaitable[str]], tell: Tell) -> bool:
    """One step, told when it is over; whether it went well."""
    started = monotonic()
    try:
        with understood():
            detail, is_good = await act(), True
    except Unexpected as unexpected:
        detail, is_good = str(unexpected), False
    tell(Step(name, is_good, detail, round(monotonic() - started, 3)))
    return is_good
