"""A mail server on this machine: keeps what it is given, or says whatever a test wants it to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class Peer:
    """A mail server with a mood: what it says to each command, or the usual."""

    moods: dict[str, str] = field(default_factory=dict)
    heard: list[bytes] = field(default_factory=list)
    is_mute: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        usual = {"EHLO": "250 hello", "DATA": "354 go on", "QUIT": "221 bye"}
        if self.is_mute:
            writer.close()
            return
        writer.write(b"220 peer ESMTP\r\n")
        while line := await reader.readline():
            word = line.split()[0].decode().upper() if line.split() else ""
            said = self.moods.get(word, usual.get(word, "250 fine"))
            writer.write(said.encode() + b"\r\n")
            if word == "DATA" and said.startswith("354"):
                self.heard.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(self.moods.get(".", "250 taken").encode() + b"\r\n")
            if word == "QUIT":
                break
        writer.close()

    def letters_to(self, address: str) -> list[str]:
        """What was written to somebody, as plain text, oldest first."""
        found = [
            message_from_bytes(raw, _class=EmailMessage, policy=policy.default)
            for raw in self.heard
        ]
        bodies = [each.get_body(("plain",)) for each in found if each["To"] == address]
        return [body.get_content() for body in bodies if isinstance(body, EmailMessage)]


@asynccontextmanager
async def post_office() -> AsyncIterator[tuple[Peer, str]]:
    """A friendly one, and its address."""
    made = Peer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with server:
        yield made, f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
