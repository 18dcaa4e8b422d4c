"""What the database keeps of a tax rate becomes that noun again."""

import msgspec

from bursar.domain import ids
from bursar.domain.money import Rate
from bursar.domain.rows import Record
from bursar.domain.tax_rates import TaxRate, TaxRateStatus
from bursar.domain.taxes import TaxCategory


def row_to_tax_rate(record: Record) -> TaxRate:
    """From every column of `tax_rates`."""
    return TaxRate(
        id=ids.TaxRateId(ids.print_id("txr", record["id"])),
        name=record["name"],
        rate=Rate(record["percent"]),
        is_inclusive=record["is_inclusive"],
        category=TaxCategory(record["category"]),
        country=record["country"],
        note=record["note"],
        is_automatic=record["is_automatic"],
        status=TaxRateStatus(record["status"]),
        metadata=msgspec.json.decode(record["metadata"], type=dict[str, str]),
        archived_at=record["archived_at"],
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
