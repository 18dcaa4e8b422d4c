"""Who and what the demo's story is about, as far as it has been told; every scene adds to it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from bursar.cli.demo_http import Api, Browser, Unexpected
from bursar.cli.demo_receiver import Receiver
from bursar.runtime.clock import monotonic
from bursar.runtime.ids import new_uuid

CUSTOMER_NAME: Final = "Ada Lovelace"
_POLL_SECONDS: Final = 0.25


@dataclass
class Cast:
    """One telling of the story; what has no value at first gets it in its scene."""

    browser: Browser
    anyone: Api
    receiver: Receiver
    patience_seconds: float
    tag: str = field(default_factory=lambda: new_uuid().hex[-12:])
    org_id: str = field(init=False)
    owner: Api = field(init=False)
    program: Api = field(init=False)
    webhook_secret: str = field(init=False)
    customer_id: str = field(init=False)
    invoice: Any = field(init=False)
    wallet_id: str = field(init=False)

    @property
    def invoice_path(self) -> str:
        """Where the story's first invoice is found."""
        return f"/v1/invoices/{self.invoice['id']}"

    async def final_invoice(self, description: str, amount_cents: int) -> Any:
        """A further invoice of one line, ready to be paid."""
        line = {"description": description, "unitAmountCents": amount_cents}
        body = {"customerId": self.customer_id, "lines": [line]}
        draft = (await self.program.post("/v1/invoices", body)).expect(201)
        final = await self.program.post(f"/v1/invoices/{draft.value['id']}/finalize")
        return final.expect(200).value

    async def until(self, path: str, is_reached: Callable[[Any], bool], *, wanted: str) -> Any:
        """The resource, once it is as wanted.

        Raises:
            Unexpected: it is not within the patience.
        """
        deadline = monotonic() + self.patience_seconds
        while not is_reached(found := (await self.program.get(path)).expect(200).value):
            if monotonic() > deadline:
                raise Unexpected(f"{wanted} within {self.patience_seconds:g} s", came=found)
            await asyncio.sleep(_POLL_SECONDS)
        return found


Scene = Callable[[Cast], Awaitable[str]]
"""One step of the story; it returns what people should read of it, or raises `Unexpected`."""


def require(*, wanted: object, came: object) -> None:
    """Go on only if both are the same.

    Raises:
        Unexpected: they differ.
    """
    if came != wanted:
        raise Unexpected(str(wanted), came=came)
