"""How an organization's documents and mail look, and which mail its customers get by themselves.

An organization that has said nothing writes in English, on A4, and only when it is told to. Days of
reminders count from the due date: -3 is three days before it, 7 a week after.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.domain.calendars import days_after
from bursar.domain.change import Change
from bursar.domain.events import DocumentSettingsUpdated
from bursar.domain.frozen import replace
from bursar.domain.ids import DocumentSettingsId, OrgId, print_id, uuid_of
from bursar.domain.mails import is_mailbox
from bursar.domain.times import Instant

LOGO_BYTES_MAX: Final = 100_000
REMINDERS_MAX: Final = 10
REMINDER_DAYS_MAX: Final = 90


class Language(StrEnum):
    """What documents, pages and mail are written in."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


class Paper(StrEnum):
    """What documents are printed on."""

    A4 = "a4"
    LETTER = "letter"


class DocumentSettings(Struct, frozen=True, kw_only=True):
    """One organization's; version 0 is that of one that has said nothing yet."""

    id: DocumentSettingsId
    language: Language = Language.ENGLISH
    paper: Paper = Paper.A4
    address: Mapping[str, str] | None = None
    tax_id: str | None = None
    footer: str | None = None
    reply_to: str | None = None
    iban: str | None = None
    bic: str | None = None
    logo: bytes | None = None
    sends_mail: bool = True
    sends_receipts: bool = False
    sends_failures: bool = False
    reminder_days: tuple[int, ...] = ()
    version: int
    sequence: int
    created_at: Instant
    updated_at: Instant

    def edit(self, changes: Mapping[str, object]) -> Change | None:
        """The settings given, or nothing when none of them differs."""
        after = replace(self, **changes)  # type: ignore[arg-type]  # field names are the caller's
        after = replace(after, reminder_days=tuple(sorted(set(after.reminder_days))))
        if after == self:
            return None
        after = replace(after, version=self.version + 1)
        before = self if self.version else None
        return Change(rows=(after,), events=(DocumentSettingsUpdated(after, before),))

    def reaches(self, address: str) -> bool:
        """Whether mail is written to a customer with this address."""
        return self.sends_mail and is_mailbox(address)

    def next_moment(self, due_at: Instant, timezone: str, *, after: Instant) -> Instant | None:
        """When an open invoice is to be looked at next: to remind, or because it is overdue."""
        moments = [due_at, *(days_after(due_at, days, timezone) for days in self.reminder_days)]
        return min((each for each in moments if each > after), default=None)

    def reminder_due(
        self, due_at: Instant, timezone: str, *, since: Instant, at: Instant
    ) -> int | None:
        """The last of the reminders whose day came since an invoice is open.

        Those before it have been overtaken; a day before the invoice was there reminds of nothing.
        """
        come = (
            days for days in self.reminder_days if since < days_after(due_at, days, timezone) <= at
        )
        return max(come, default=None)


def settings_unsaid(org_id: OrgId, at: Instant) -> DocumentSettings:
    """Those of an organization that has said nothing."""
    return DocumentSettings(
        id=settings_id(org_id), version=0, sequence=0, created_at=at, updated_at=at
    )


def settings_id(org_id: OrgId) -> DocumentSettingsId:
    """They are found by the organization's own number."""
    return DocumentSettingsId(print_id("dset", uuid_of(org_id)))
