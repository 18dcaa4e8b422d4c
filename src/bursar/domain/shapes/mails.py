"""A mail as the world sees it: to whom, of which kind and what became of it, never its content."""

from typing import Annotated, Literal

from bursar.domain.mails import Mail, MailKind, MailStatus
from bursar.domain.shapes.fields import Shape, WireInstant, instant, shown_as
from bursar.domain.times import wire_instant


class EmailOut(Shape, frozen=True, kw_only=True):
    """One mail. `kept` means that nothing is configured that could send it."""

    id: Annotated[str, shown_as("mail_01970b2e-6f80-7a31-9d42-5c7e8f1a2b3c")]
    object: Literal["email"] = "email"
    kind: MailKind
    language: Annotated[str, shown_as("en")]
    recipient: Annotated[str, shown_as("ann@example.com")]
    invoice_id: str | None
    status: MailStatus
    attempt_count: int
    failure: Annotated[str | None, shown_as("the mail server said 550")]
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
            invoice_id=mail.invoice_id,
            status=mail.status,
            attempt_count=mail.attempt_count,
            failure=mail.failure,
            created_at=wire_instant(mail.created_at),
            settled_at=instant(mail.settled_at),
        )
