"""Who says which taxes lie on a draft: our table, or a service that may say whatever it likes."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from typing import Any, Final

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.domain.nouns import AT, a_draft

from bursar.domain.customers import TaxTreatment
from bursar.domain.document_settings import settings_unsaid
from bursar.domain.explanations import explain
from bursar.domain.frozen import replace
from bursar.domain.ids import InvoiceLineId, TaxRateId
from bursar.domain.invoices import Invoice
from bursar.domain.money import Rate
from bursar.domain.shapes.sample_taxes import TAX_RATE
from bursar.domain.shapes.samples import CUSTOMER, ORGANIZATION
from bursar.domain.tax_engine import TaxAdvice, TaxesNotKnown, TaxQuestion, assessed
from bursar.domain.tax_rates import TaxRate, TaxRateStatus
from bursar.domain.taxes import TaxCategory
from bursar.providers.taxes import HttpTaxes, TableTaxes

HALF: Final = replace(
    TAX_RATE,
    id=TaxRateId(f"{TAX_RATE.id[:-1]}f"),
    rate=Rate(Decimal("9.5")),
    country=None,
    is_automatic=False,
)
OURS: Final = replace(TAX_RATE, country=None, is_automatic=True)


def two_lines() -> Invoice:
    draft = a_draft(1000, 333)
    lines = [replace(line, id=InvoiceLineId(f"il_{at}")) for at, line in enumerate(draft.lines)]
    return replace(draft, lines=tuple(lines))


def asked(*rates: TaxRate, **customer: Any) -> TaxQuestion:
    settings = settings_unsaid(ORGANIZATION.id, AT)
    return TaxQuestion(two_lines(), settings, replace(CUSTOMER, **customer), rates)


@asynccontextmanager
async def tax_desk(
    text: str, status: int = 200, heard: list[tuple[str | None, Any]] | None = None
) -> AsyncIterator[HttpTaxes]:
    async def answer(request: web.Request) -> web.Response:
        if heard is not None:
            heard.append((request.headers.get("Authorization"), await request.json()))
        return web.Response(status=status, text=text, headers={"Location": "/elsewhere"})

    app = web.Application()
    app.router.add_post("/taxes", answer)
    async with TestServer(app) as server:
        engine = HttpTaxes(str(server.make_url("/taxes")), "key-1")
        yield engine
        await engine.aclose()


async def test_the_table_is_the_default() -> None:
    # Automatic rates lie on every line; whoever owes no tax pays none, and is told why.
    question = asked(OURS, HALF)
    taxed = assessed(question.invoice, await TableTaxes().advise(question), question)
    assert [each.terms.rate_id for each in taxed.taxes] == [OURS.id]
    assert [len(line.taxes) for line in taxed.lines] == [1, 1]
    question = asked(OURS, tax_treatment=TaxTreatment.REVERSE_CHARGE)
    free = assessed(question.invoice, await TableTaxes().advise(question), question)
    assert free.tax.is_zero
    assert [each.terms.category for each in free.taxes] == [TaxCategory.REVERSE_CHARGE]


async def test_a_service_chooses_line_by_line() -> None:
    # It is told who sells what to whom; amounts follow by our law, and explain themselves.
    lines = [{"lineId": "il_1", "taxRateIds": [HALF.id, OURS.id]}]
    heard: list[tuple[str | None, Any]] = []
    question = asked(OURS, HALF)
    async with tax_desk(json.dumps({"lines": lines, "more": 1}), heard=heard) as engine:
        taxed = assessed(question.invoice, await engine.advise(question), question)
    assert [[tax.rate_id for tax in line.taxes] for line in taxed.lines] == [[], [HALF.id, OURS.id]]
    assert explain(taxed).differences == ()
    ((key, told),) = heard
    assert key == "Bearer key-1"
    assert told["customer"]["taxTreatment"] == "taxable"
    assert [each["amountCents"] for each in told["lines"]] == [1000, 333]
    assert {each["id"] for each in told["taxRates"]} == {OURS.id, HALF.id}
    again = assessed(taxed, TaxAdvice({}), question)
    assert (again.tax.minor, again.taxes) == (0, ())


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("", 200),
        ("[]", 200),
        ('{"lines": [{"lineId": "il_0"}]}', 200),
        ('{"lines": []}', 500),
        ('{"lines": []}', 302),
        ('{"lines": [{"lineId":"a","taxRateIds":[]},{"lineId":"a","taxRateIds":[]}]}', 200),
        (" " * 1_000_001, 200),
    ],
)
async def test_a_service_that_says_nothing_of_use(text: str, status: int) -> None:
    # No taxes is an answer too, so what is no answer must not be taken for one.
    async with tax_desk(text, status) as engine:
        with pytest.raises(TaxesNotKnown):
            await engine.advise(asked(OURS))


async def test_a_service_that_is_not_there() -> None:
    # Nobody listens: the draft stays as it was.
    engine = HttpTaxes("http://127.0.0.1:1/taxes", None)
    with pytest.raises(TaxesNotKnown):
        await engine.advise(asked(OURS))
    await engine.aclose()


@pytest.mark.parametrize(
    "rates",
    [
        {"il_9": (OURS.id,)},
        {"il_0": (TaxRateId("txr_other"),)},
        {"il_0": (OURS.id, OURS.id)},
        {"il_0": tuple(TaxRateId(f"txr_{each}") for each in range(6))},
    ],
)
def test_only_what_was_offered_is_taken(rates: dict[str, tuple[TaxRateId, ...]]) -> None:
    # A line that is not there, a rate of elsewhere, one twice, more than a line may bear.
    advice = TaxAdvice({InvoiceLineId(line): each for line, each in rates.items()})
    many = [replace(OURS, id=TaxRateId(f"txr_{each}")) for each in range(6)]
    with pytest.raises(TaxesNotKnown):
        assessed(two_lines(), advice, asked(OURS, *many))


def test_an_archived_rate_is_not_taken() -> None:
    # It may have been archived since it was offered.
    gone = replace(OURS, status=TaxRateStatus.ARCHIVED)
    with pytest.raises(TaxesNotKnown):
        assessed(two_lines(), TaxAdvice({InvoiceLineId("il_0"): (OURS.id,)}), asked(gone))
