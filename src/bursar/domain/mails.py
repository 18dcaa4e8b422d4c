"""Mail: what is written to whom, what it is filled with, and what became of it.

A mail is kept before it is sent and sent by a task, so a commit never waits for a mail server and a
mail server never sees what was rolled back. The words stand in templates, by kind and language;
here stands which values a kind needs. A value may be a token, so values are sealed where they are
kept and forgotten when the mail has left.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from msgspec import Struct

from bursar.domain.ids import InvoiceId, MailId
from bursar.domain.tasks import QUEUE_RULES, Queue
from bursar.domain.times import Instant

LANGUAGE_DEFAULT: Final = "en"
RECIPIENT_LENGTH_MAX: Final = 254
FAILURE_LENGTH_MAX: Final = 300
ATTEMPTS_MAX: Final = QUEUE_RULES[Queue.NOTIFICATIONS].attempts_max


class MailKind(StrEnum):
    """Every mail there is."""

    VERIFY_ADDRESS = "verify_address"
    ADDRESS_TAKEN = "address_taken"
    RESET_PASSWORD = "reset_password"  # noqa: S105 - the name of a mail, not a password
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of a mail, not a password
    SESSION_REUSED = "session_reused"
    FACTOR_CHANGED = "factor_changed"
    INVITATION = "invitation"
    WEBHOOK_SWITCHED_OFF = "webhook_switched_off"
    INVOICE = "invoice"
    RECEIPT = "receipt"
    PAYMENT_FAILED = "payment_failed"
    REMINDER = "reminder"
    CREDIT_NOTE = "credit_note"
    NEW_LINK = "new_link"
    DUNNING_NOTICE = "dunning_notice"
    DUNNING_PAUSE = "dunning_pause"
    DUNNING_END = "dunning_end"


_ABOUT_INVOICE: Final = frozenset(
    {"organization", "name", "number", "amount", "due", "reply_to", "token"}
)
PARAMETERS: Final[Mapping[MailKind, frozenset[str]]] = MappingProxyType(
    {
        MailKind.VERIFY_ADDRESS: frozenset({"name", "token"}),
        MailKind.ADDRESS_TAKEN: frozenset({"name"}),
        MailKind.RESET_PASSWORD: frozenset({"name", "token", "minutes"}),
        MailKind.PASSWORD_CHANGED: frozenset({"name", "at"}),
        MailKind.SESSION_REUSED: frozenset({"name", "at", "address"}),
        MailKind.FACTOR_CHANGED: frozenset({"name", "at", "change"}),
        MailKind.WEBHOOK_SWITCHED_OFF: frozenset({"name", "url", "at", "reason"}),
        MailKind.INVITATION: frozenset({"organization", "inviter", "role", "token"}),
        MailKind.INVOICE: _ABOUT_INVOICE,
        MailKind.RECEIPT: _ABOUT_INVOICE | {"paid"},
        MailKind.PAYMENT_FAILED: _ABOUT_INVOICE,
        MailKind.REMINDER: _ABOUT_INVOICE | {"days"},
        MailKind.CREDIT_NOTE: _ABOUT_INVOICE | {"note", "note_id"},
        MailKind.NEW_LINK: _ABOUT_INVOICE,
        MailKind.DUNNING_NOTICE: _ABOUT_INVOICE,
        MailKind.DUNNING_PAUSE: _ABOUT_INVOICE,
        MailKind.DUNNING_END: _ABOUT_INVOICE,
    }
)
"""What each kind is filled with, all of it text: an `amount` as `129900 usd`, days as ISO dates."""
ENCLOSING: Final = frozenset(
    {
        MailKind.INVOICE,
        MailKind.RECEIPT,
        MailKind.PAYMENT_FAILED,
        MailKind.REMINDER,
        MailKind.CREDIT_NOTE,
    }
)
"""Kinds that bring the invoice or the credit note they are about as a file."""
ENCLOSED_BYTES_MAX: Final = 5_000_000  # most mail servers take ten, and files grow by a third


class MailStatus(StrEnum):
    """What became of a mail."""

    PENDING = "pending"
    SENT = "sent"
    KEPT = "kept"  # nothing is configured that could send it: it is read where it lies
    FAILED = "failed"


class NewMail(Struct, frozen=True, kw_only=True):
    """A mail to write."""

    kind: MailKind
    recipient: str
    parameters: Mapping[str, str]
    language: str = LANGUAGE_DEFAULT
    invoice_id: InvoiceId | None = None

    def __post_init__(self) -> None:
        assert self.parameters.keys() == PARAMETERS[self.kind], self.kind
        assert is_mailbox(self.recipient), "a recipient is one address on one line"


class Enclosure(Struct, frozen=True):
    """A PDF that goes with a letter."""

    name: str
    body: bytes


class Letter(Struct, frozen=True, kw_only=True):
    """A mail with everything that goes into it, ready to be printed and sent.

    The `logo` is the organization's, for letters in its name that are dressed as HTML.
    """

    id: MailId
    kind: MailKind
    language: str
    recipient: str
    parameters: Mapping[str, str]
    invoice_id: InvoiceId | None = None
    enclosure: Enclosure | None = None
    logo: bytes | None = None


class Mail(Struct, frozen=True, kw_only=True):
    """A mail as it is kept: what became of it, and nothing of what stands in it."""

    id: MailId
    kind: MailKind
    language: str
    recipient: str
    invoice_id: InvoiceId | None
    status: MailStatus
    attempt_count: int
    transport: str | None
    reference: str | None
    failure: str | None
    created_at: Instant
    settled_at: Instant | None


class PrintedMail(Struct, frozen=True):
    """A letter in words."""

    subject: str
    text: str
    html: str


class MailSent(Struct, frozen=True):
    """The mail server took it; `reference` is its own name for it."""

    reference: str | None = None


class MailKept(Struct, frozen=True):
    """Nothing is configured that could send it."""


class MailDeferred(Struct, frozen=True):
    """Not now: the server is away, or asks to wait."""

    reason: str


class MailRefused(Struct, frozen=True):
    """Never: this mail to this address is not taken."""

    reason: str


MailOutcome: TypeAlias = MailSent | MailKept | MailDeferred | MailRefused


class Mailer(Protocol):
    """Prints letters and sends them."""

    @property
    def name(self) -> str:
        """Which way mail goes."""
        ...

    @property
    def takes_files(self) -> bool:
        """Whether what is enclosed gets anywhere."""
        ...

    def print_letter(self, letter: Letter) -> PrintedMail:
        """The letter in words; the same every time."""
        ...

    async def send(self, letter: Letter) -> MailOutcome:
        """Send it once. Whatever the far end does is an answer, in a time that is bounded."""
        ...


def is_mailbox(text: str) -> bool:
    """Whether the text can stand in a header as one address, and as nothing else."""
    head, at, tail = text.rpartition("@")
    is_plain = text.isascii() and text.isprintable() and not set(text) & set(' ,;<>"()[]\\:')
    return is_plain and bool(head and at and tail) and len(text) <= RECIPIENT_LENGTH_MAX


def status_after(outcome: MailOutcome, attempt: int) -> MailStatus:
    """What the mail is after this attempt, counted from one."""
    match outcome:
        case MailSent():
            return MailStatus.SENT
        case MailKept():
            return MailStatus.KEPT
        case MailRefused():
            return MailStatus.FAILED
        case MailDeferred():
            return MailStatus.FAILED if attempt >= ATTEMPTS_MAX else MailStatus.PENDING
