"""No mail server at all: mail stays where it is, to be read by whoever runs the installation."""

from bursar.domain.mails import Letter, Mailer, MailKept, MailOutcome, PrintedMail
from bursar.providers.mail.letters import Letters


class OutboxMailer(Mailer):
    """A `Mailer` that sends nothing."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters

    @property
    def name(self) -> str:
        return "outbox"

    @property
    def takes_files(self) -> bool:
        return False

    def print_letter(self, letter: Letter) -> PrintedMail:
        return self._letters.printed(letter)

    async def send(self, _letter: Letter) -> MailOutcome:
        return MailKept()
