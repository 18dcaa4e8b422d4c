"""Lets a mail server be asked only while it makes sense: behind a circuit breaker."""

from opentelemetry.trace import SpanKind

from bursar.domain.mails import Letter, MailDeferred, Mailer, MailOutcome, PrintedMail
from bursar.domain.provider import CircuitOpen
from bursar.providers.guard import CircuitBreaker
from bursar.runtime import tracing


class GuardedMailer(Mailer):
    """A `Mailer` whose line is left alone for a while after failures in a row."""

    def __init__(self, inner: Mailer, breaker: CircuitBreaker) -> None:
        self._inner = inner
        self._breaker = breaker

    @property
    def name(self) -> str:
        return self._inner.name

    @property
    def takes_files(self) -> bool:
        return self._inner.takes_files

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self._inner.print_letter(letter)

    async def send(self, letter: Letter) -> MailOutcome:
        try:
            admission = self._breaker.admit()
        except CircuitOpen as left_alone:
            return MailDeferred(str(left_alone))
        try:
            with tracing.span(f"{self.name} send", SpanKind.CLIENT):
                outcome = await self._inner.send(letter)
        except BaseException:
            # Canceled, or a bug of ours; either way the trial is free for the next letter.
            admission.withdrawn()
            raise
        if isinstance(outcome, MailDeferred):
            admission.failed()
        else:
            admission.succeeded()
        return outcome
