"""What the database keeps of an organization's document settings becomes that noun again."""

import msgspec

from bursar.domain.document_settings import DocumentSettings, Language, Paper
from bursar.domain.ids import DocumentSettingsId, print_id
from bursar.domain.rows import Record


def row_to_document_settings(record: Record) -> DocumentSettings:
    """From every column of `document_settings`."""
    address = record["address"]
    return DocumentSettings(
        id=DocumentSettingsId(print_id("dset", record["id"])),
        language=Language(record["language"]),
        paper=Paper(record["paper"]),
        address=None if address is None else msgspec.json.decode(address, type=dict[str, str]),
        tax_id=record["tax_id"],
        footer=record["footer"],
        reply_to=record["reply_to"],
        iban=record["iban"],
        bic=record["bic"],
        logo=record["logo"],
        sends_mail=record["sends_mail"],
        sends_receipts=record["sends_receipts"],
        sends_failures=record["sends_failures"],
        reminder_days=tuple(record["reminder_days"]),
        version=record["version"],
        sequence=record["sequence"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
    )
