"""A mail as the world sees it: to whom, of which kind and what became of it, never its content."""

from typing import Literal

from bursar.domain.mails import Mail, MailKind, MailStatus
from bursar.domain.shapes.fields import Shape, WireInstant, instant
from bursar.domain.times import wire_instant


class EmailOut(Shape, frozen=True, kw_only=True):
    """One mail. `kept` means that nothing is configured that could send it."""

    id: str
    object: Literal["email"] = "email"
    kind: MailKind
    language: str
    recipient: str
    status: MailStatus
    attempt_count: int
    failure: str | None
    created_at: WireInstant
    settled_at: WireInstant | None

    @classmethod
    def of(cls, mail: Mail) -> "EmailOut":
        """The mail's shape."""
        return cls(
            id=mail.id,
            kind=mail.kind,
            language=mail.language,
            recipient=mail.recipient,
            status=mail.status,
            attempt_count=mail.attempt_count,
            failure=mail.failure,
            created_at=wire_instant(mail.created_at),
            settled_at=instant(mail.settled_at),
        )
