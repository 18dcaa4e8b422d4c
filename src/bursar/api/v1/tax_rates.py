"""`/v1/tax-rates`: the organization's table of taxes."""

from decimal import Decimal
from typing import Any

import msgspec

from bursar.api.envelope import changed, created, found, resource
from bursar.api.fields import (
    Body,
    CountryCode,
    Metadata,
    NoQuery,
    Nothing,
    Percentage,
    ShortText,
    Text500,
)
from bursar.api.filters import Values, several
from bursar.api.paging import ListQuery, pages, piece
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.ids import TaxRateId
from bursar.domain.refusals import IllegalTransition, NotFound
from bursar.domain.shapes.tax_rates import TaxRateOut
from bursar.domain.tax_rates import TaxRateStatus
from bursar.domain.taxes import TaxCategory
from bursar.operations.tax_rates import (
    ArchiveTaxRate,
    CreateTaxRate,
    archive_tax_rate,
    create_tax_rate,
)
from bursar.reads.tax_rates import tax_rate as tax_rate_look
from bursar.reads.tax_rates import tax_rates as tax_rates_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Tax rates",
    prefix="/v1/tax-rates",
    about="The organization's own table of taxes. A rate is archived, never changed.",
)


class NewTaxRate(Body, frozen=True):
    """A rate to introduce; all categories but `standard` are of zero percent."""

    name: ShortText
    percentage: Percentage
    inclusive: bool = False
    category: TaxCategory = TaxCategory.STANDARD
    country: CountryCode | None = None
    note: Text500 | None = None
    automatic: bool = False
    metadata: Metadata = msgspec.field(default_factory=dict)

    def to_command(self) -> CreateTaxRate:
        """What it asks for."""
        return CreateTaxRate(
            name=self.name,
            percent=Decimal(self.percentage),
            is_inclusive=self.inclusive,
            category=self.category,
            country=self.country,
            note=self.note,
            is_automatic=self.automatic,
            metadata=self.metadata,
        )


class TaxRateQuery(ListQuery, frozen=True):
    """Which rates; `status` may name several."""

    status: Values | None = None


def _id(call: Call[Any, Any]) -> TaxRateId:
    return TaxRateId(call.id("taxRateId"))


@ROOM.post(
    "", Terms(needs=Permission.INVOICE_WRITE, takes=NewTaxRate, gives=TaxRateOut, status=201)
)
async def create_one_tax_rate(call: Call[NewTaxRate, NoQuery]) -> Answer:
    """Create a tax rate.

    An inclusive rate is a part of the price, any other comes on top of it. An automatic one lies
    on what subscriptions bill to customers of its country, or to all when it names none.
    """
    command = call.body.to_command()
    return await changed(call.caller, create_tax_rate, command, created(TaxRateOut.of, ROOM.prefix))


@ROOM.get(
    "", Terms(needs=Permission.INVOICE_READ, gives=TaxRateOut, is_list=True, query=TaxRateQuery)
)
async def list_tax_rates(call: Call[None, TaxRateQuery]) -> Answer:
    """List tax rates, newest first."""
    page = pages(call.caller, call.query)
    statuses = several(call.query.status, TaxRateStatus, TaxRateStatus, field="status")
    shown = await call.caller.look(tax_rates_look, page, statuses)
    return piece(call.caller, page, shown, TaxRateOut.of)


@ROOM.get(
    "/{taxRateId}", Terms(needs=Permission.INVOICE_READ, gives=TaxRateOut, refuses=(NotFound,))
)
async def get_tax_rate(call: Call[None, NoQuery]) -> Answer:
    """Get a tax rate."""
    return resource(TaxRateOut.of(await call.caller.look(tax_rate_look, _id(call))))


@ROOM.post(
    "/{taxRateId}/archive",
    Terms(
        needs=Permission.INVOICE_WRITE,
        takes=Nothing,
        gives=TaxRateOut,
        refuses=(NotFound, IllegalTransition),
    ),
)
async def archive_one_tax_rate(call: Call[Nothing, NoQuery]) -> Answer:
    """Archive a tax rate.

    No line gets it any more; documents that have it keep it.
    """
    return await changed(
        call.caller, archive_tax_rate, ArchiveTaxRate(_id(call)), found(TaxRateOut.of)
    )
