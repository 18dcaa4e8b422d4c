"""`/v1/document-settings`: how documents and mail look, and which mail goes out by itself."""

import base64
import binascii
from typing import Final

from msgspec import UNSET, UnsetType

from bursar.api.envelope import changed, found, resource
from bursar.api.fields import Bic, Body, Email, Iban, Name, NoQuery, Picture, ReminderDays, TaxId
from bursar.api.merging import named
from bursar.api.postal import Address
from bursar.api.routes import Call, Room, Terms
from bursar.domain.access import Permission
from bursar.domain.document_settings import (
    LOGO_BYTES_MAX,
    Language,
    Paper,
)
from bursar.domain.documents import DocumentRenderer
from bursar.domain.pictures import NotAPicture, cleaned
from bursar.domain.refusals import InvalidInput, PreconditionFailed, StaleVersion
from bursar.domain.shapes.document_settings import DocumentSettingsOut
from bursar.operations.document_settings import UpdateDocumentSettings, update_document_settings
from bursar.reads.document_settings import document_settings as document_settings_look
from bursar.runtime.idempotency import Answer

ROOM = Room(
    "Document settings",
    prefix="/v1/document-settings",
    about="How documents and mail look, and which mail customers get by themselves.",
)

_LOGO: Final = "logo"


class DocumentSettingsPatch(Body, frozen=True):
    """What to change. `logo` is a PNG or JPEG as base64; days of reminders count from due."""

    language: Language | UnsetType = UNSET
    paper: Paper | UnsetType = UNSET
    address: Address | UnsetType | None = UNSET
    tax_id: TaxId | UnsetType | None = UNSET
    footer: Name | UnsetType | None = UNSET
    reply_to: Email | UnsetType | None = UNSET
    iban: Iban | UnsetType | None = UNSET
    bic: Bic | UnsetType | None = UNSET
    logo: Picture | UnsetType | None = UNSET
    sends_mail: bool | UnsetType = UNSET
    sends_receipts: bool | UnsetType = UNSET
    sends_failures: bool | UnsetType = UNSET
    reminder_days: ReminderDays | UnsetType = UNSET


@ROOM.get("", Terms(needs=Permission.ORG_READ, gives=DocumentSettingsOut))
async def get_document_settings(call: Call[None, NoQuery]) -> Answer:
    """Get how documents and mail look; version 0 means that nothing was ever said."""
    return resource(DocumentSettingsOut.of(await call.caller.look(document_settings_look)))


@ROOM.patch(
    "",
    Terms(
        needs=Permission.ORG_WRITE,
        takes=DocumentSettingsPatch,
        gives=DocumentSettingsOut,
        is_versioned=True,
        refuses=(PreconditionFailed, StaleVersion),
    ),
)
async def change_document_settings(call: Call[DocumentSettingsPatch, NoQuery]) -> Answer:
    """Change how documents and mail look.

    A JSON merge patch. `sendsReceipts` and `sendsFailures` let customers be written to when a
    payment succeeds or fails, `reminderDays` around the due date: -3 is three days before it.
    """
    changes = named(call.body)
    if isinstance(changes.get("address"), Address):
        changes["address"] = changes["address"].to_map()
    if isinstance(changes.get(_LOGO), str):
        changes[_LOGO] = await _picture(call.caller.app.renderer, changes[_LOGO])
    if "reminder_days" in changes:
        changes["reminder_days"] = tuple(changes["reminder_days"])
    command = UpdateDocumentSettings(changes, call.expected_version)
    reply = found(DocumentSettingsOut.of)
    return await changed(call.caller, update_document_settings, command, reply)


async def _picture(renderer: DocumentRenderer, text: str) -> bytes:
    """The picture, whole and bare, once the printer has drawn it.

    Raises:
        InvalidInput: no document could be printed with it.
    """
    try:
        picture = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise InvalidInput.at(_LOGO, "expected base64", "wrong_format") from None
    if len(picture) > LOGO_BYTES_MAX:
        raise InvalidInput.at(_LOGO, f"expected at most {LOGO_BYTES_MAX:,} bytes", "wrong_length")
    try:
        picture = cleaned(picture)
    except NotAPicture as reason:
        raise InvalidInput.at(_LOGO, str(reason), "not_a_picture") from None
    if not await renderer.draws(picture):
        raise InvalidInput.at(_LOGO, "this picture cannot be drawn", "not_a_picture")
    return picture
