"""An organization's document settings as the world sees them; the logo only by its digest."""

import hashlib
from typing import Annotated, Literal

from bursar.domain.document_settings import DocumentSettings, Language, Paper
from bursar.domain.shapes.fields import Shape, WireInstant, shown_as
from bursar.domain.times import wire_instant


class DocumentSettingsOut(Shape, frozen=True, kw_only=True):
    """How documents and mail look. Days of reminders count from the due date."""

    id: str
    object: Literal["document_settings"] = "document_settings"
    language: Language
    paper: Paper
    address: dict[str, str] | None
    tax_id: str | None
    footer: str | None
    reply_to: str | None
    iban: str | None
    bic: str | None
    logo_sha256: Annotated[str | None, shown_as("9f86d081884c7d65…")]
    sends_mail: bool
    sends_receipts: bool
    sends_failures: bool
    reminder_days: tuple[int, ...]
    version: int
    created_at: WireInstant
    updated_at: WireInstant

    @classmethod
    def of(cls, settings: DocumentSettings) -> "DocumentSettingsOut":
        """The settings' shape."""
        logo = settings.logo
        return cls(
            id=settings.id,
            language=settings.language,
            paper=settings.paper,
            address=None if settings.address is None else dict(settings.address),
            tax_id=settings.tax_id,
            footer=settings.footer,
            reply_to=settings.reply_to,
            iban=settings.iban,
            bic=settings.bic,
            logo_sha256=None if logo is None else hashlib.sha256(logo).hexdigest(),
            sends_mail=settings.sends_mail,
            sends_receipts=settings.sends_receipts,
            sends_failures=settings.sends_failures,
            reminder_days=settings.reminder_days,
            version=settings.version,
            created_at=wire_instant(settings.created_at),
            updated_at=wire_instant(settings.updated_at),
        )
