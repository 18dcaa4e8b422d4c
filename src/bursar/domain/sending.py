"""What Bursar asks of whoever carries a webhook to a customer's endpoint, and what it hears back.

The sender puts exactly these bytes and headers on the wire, once; it neither signs nor retries nor
remembers. Whatever the far end does, the answer is a value of bounded size that may be stored and
shown to the organization: no text in it comes from our own resolver, socket or TLS library.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from bursar.domain.frozen import replace
from bursar.domain.webhooks import RESPONSE_EXCERPT_MAX, DeliveryVerdict, verdict_of


class SendFailure(StrEnum):
    """Why no complete answer came. The list is fixed: it is shown to the organization."""

    REFUSED_URL = "refused_url"  # not a URL we send to
    FORBIDDEN_ADDRESS = "forbidden_address"  # the name or literal leads somewhere private
    NAME_NOT_RESOLVED = "name_not_resolved"
    CONNECTION_FAILED = "connection_failed"
    CONNECT_TIMEOUT = "connect_timeout"
    TLS_FAILED = "tls_failed"
    CONNECTION_LOST = "connection_lost"
    TIMEOUT = "timeout"  # connected, but the last byte did not come within the deadline
    MALFORMED_ANSWER = "malformed_answer"


class WebhookRequest(Struct, frozen=True):
    """One POST. The headers carry the signatures over exactly this body.

    `caused_by` is the request in which happened what is told.
    """

    url: str
    headers: Mapping[str, str]
    body: bytes
    caused_by: str = ""

    def with_headers(self, more: Mapping[str, str]) -> "WebhookRequest":
        """The same with further headers, which no signature covers."""
        return replace(self, headers={**self.headers, **more}) if more else self


class WebhookAnswer(Struct, frozen=True):
    """What came back. A failure means not delivered, even when a status had already arrived.

    `excerpt` is the start of the body: as text, or as `base64:…` when it is not text. A redirect is
    a status like any other; it was not followed.
    """

    status: int | None
    excerpt: str
    duration_ms: int
    failure: SendFailure | None = None
    retry_after_seconds: int | None = None

    def __post_init__(self) -> None:
        assert len(self.excerpt) <= RESPONSE_EXCERPT_MAX, "an excerpt is bounded"
        assert self.status is not None or self.failure is not None, "no answer has a reason"

    @property
    def verdict(self) -> DeliveryVerdict:
        """What this answer means for the delivery."""
        if self.failure is not None or self.status is None:
            return DeliveryVerdict.RETRY
        return verdict_of(self.status)


class WebhookSender(Protocol):
    """Carries one webhook."""

    async def send(self, request: WebhookRequest) -> WebhookAnswer:
        """Answers within the deadline, and never raises for what the far end does."""
        ...
