"""Tax engines: the organization's own table, and a service that the settings name.

The service gets one POST with the draft and the rates that may be chosen, signed in by a bearer
token, and answers which of them lie on each line. It may do whatever it likes: the answer is taken
as a whole or not at all, in bounded time and size, and no redirect is followed.
"""

from typing import Any, Final

import aiohttp
import msgspec

from bursar.domain.ids import InvoiceLineId, TaxRateId
from bursar.domain.invoices import Invoice
from bursar.domain.tax_engine import TaxAdvice, TaxEngine, TaxesNotKnown, TaxQuestion
from bursar.domain.tax_rates import TaxRate, automatic

TIMEOUT_SECONDS: Final = 10
_OK: Final = 200
_ANSWER_MAX: Final = 1_000_000


class TableTaxes(TaxEngine):
    """The automatic rates of the customer's country lie on every line."""

    @property
    def name(self) -> str:
        return "table"

    async def advise(self, question: TaxQuestion) -> TaxAdvice:
        chosen = tuple(each.rate_id for each in automatic(question.rates, question.customer))
        return TaxAdvice({line.id: chosen for line in question.invoice.lines})


class _Line(msgspec.Struct, rename="camel"):
    line_id: str
    tax_rate_ids: list[str]


class _Told(msgspec.Struct):
    lines: list[_Line]


class HttpTaxes(TaxEngine):
    """A service outside. Close it when done."""

    def __init__(self, url: str, key: str | None) -> None:
        self._url = url
        self._headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        self._session: aiohttp.ClientSession | None = None

    @property
    def name(self) -> str:
        return "service"

    async def advise(self, question: TaxQuestion) -> TaxAdvice:
        try:
            told = msgspec.json.decode(await self._answer(question_body(question)), type=_Told)
        except (TimeoutError, aiohttp.ClientError, OSError, msgspec.MsgspecError) as fault:
            raise TaxesNotKnown(
                "the service could not be reached, or said nothing of use"
            ) from fault
        advised = {
            InvoiceLineId(each.line_id): tuple(map(TaxRateId, each.tax_rate_ids))
            for each in told.lines
        }
        if len(advised) != len(told.lines):
            raise TaxesNotKnown("a line twice")
        return TaxAdvice(advised)

    async def aclose(self) -> None:
        """Hang up."""
        if self._session is not None:
            await self._session.close()

    async def _answer(self, body: dict[str, Any]) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
                trust_env=False,
            )
        async with self._session.post(
            self._url, json=body, headers=self._headers, allow_redirects=False
        ) as answer:
            told = await answer.content.read(_ANSWER_MAX + 1)
            while len(told) <= _ANSWER_MAX and (more := await answer.content.read(_ANSWER_MAX)):
                told += more
            if answer.status != _OK or len(told) > _ANSWER_MAX:
                raise TaxesNotKnown(f"the service said {answer.status}, or too much")
            return told


def question_body(question: TaxQuestion) -> dict[str, Any]:
    """What the service is told: the draft, both parties, and the rates to choose from."""
    invoice, customer = question.invoice, question.customer
    return {
        "invoiceId": invoice.id,
        "currency": invoice.currency,
        "seller": {"address": question.seller.address, "taxId": question.seller.tax_id},
        "customer": {
            "id": customer.id,
            "address": customer.address,
            "taxId": customer.tax_id,
            "taxTreatment": customer.tax_treatment.value,
        },
        "lines": [*_lines(invoice)],
        "taxRates": [*map(_rate, question.rates)],
    }


def _lines(invoice: Invoice) -> Any:
    for line in invoice.lines:
        yield {
            "lineId": line.id,
            "description": line.description,
            "type": line.type.value,
            "quantity": line.quantity,
            "amountCents": line.net.minor,
        }


def _rate(rate: TaxRate) -> dict[str, Any]:
    return {
        "id": rate.id,
        "name": rate.name,
        "percentage": str(rate.rate.percent),
        "isInclusive": rate.is_inclusive,
        "category": rate.category.value,
        "country": rate.country,
        "metadata": rate.metadata,
    }
