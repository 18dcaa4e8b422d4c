"""Tax rates: introduce, archive."""

from decimal import Decimal

from msgspec import Struct

from bursar.domain.access import Permission
from bursar.domain.change import Change
from bursar.domain.ids import TaxRateId
from bursar.domain.money import Rate
from bursar.domain.tax_rates import TaxRate, TaxRateStatus, introduce
from bursar.domain.taxes import TaxCategory
from bursar.runtime.app import operation
from bursar.runtime.db import Tx
from bursar.store import tax_rates
from bursar.store.apply import apply


class CreateTaxRate(Struct, frozen=True, kw_only=True):
    """A rate to introduce."""

    name: str
    percent: Decimal
    is_inclusive: bool = False
    category: TaxCategory = TaxCategory.STANDARD
    country: str | None = None
    note: str | None = None
    is_automatic: bool = False
    metadata: dict[str, str]


@operation(requires=Permission.INVOICE_WRITE)
async def create_tax_rate(tx: Tx, command: CreateTaxRate) -> TaxRate:
    """A new rate.

    Raises:
        InvalidInput: a rate that is no tax has a percentage.
    """
    rate = TaxRate(
        id=TaxRateId(tx.new_id("txr")),
        name=command.name,
        rate=Rate(command.percent),
        is_inclusive=command.is_inclusive,
        category=command.category,
        country=command.country,
        note=command.note,
        is_automatic=command.is_automatic,
        status=TaxRateStatus.ACTIVE,
        metadata=command.metadata,
        archived_at=None,
        version=1,
        sequence=0,
        created_at=tx.now,
        updated_at=tx.now,
    )
    return await _written(tx, rate, introduce(rate))


class ArchiveTaxRate(Struct, frozen=True):
    """Put it on no line any more."""

    tax_rate_id: TaxRateId


@operation(requires=Permission.INVOICE_WRITE)
async def archive_tax_rate(tx: Tx, command: ArchiveTaxRate) -> TaxRate:
    """No line gets it any more; documents that have it keep it.

    Raises:
        IllegalTransition: archived already.
    """
    rate = await tax_rates.get(tx, command.tax_rate_id)
    return await _written(tx, rate, rate.archive(tx.now))


async def _written(tx: Tx, rate: TaxRate, change: Change) -> TaxRate:
    written = (await apply(tx, change))[rate.id]
    assert isinstance(written, TaxRate)
    return written
