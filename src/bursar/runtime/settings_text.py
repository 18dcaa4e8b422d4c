"""How the text of an environment variable becomes a value, one function per kind of value.

Every function raises `ValueError` with the rest of the sentence that starts with the variable's
name. What may hold a password is never quoted in it.
"""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from bursar.runtime.secret import Secret

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Proxies: TypeAlias = tuple[Network, ...] | int
"""Our own proxies: their networks, or how many of them stand in a row."""

SECRET_BYTES_MIN: Final = 32
_YEAR_MINUTES: Final = 525_600
_PROXIES_MAX: Final = 10
_SECONDS_PER_UNIT: Final = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,9})([smhd]?)")
_NUMBER: Final = re.compile(r"[0-9]{1,15}")
# An address, or a name in letters, digits and blanks before one in angle brackets.
_SENDER: Final = re.compile(
    r"[^\s<>@,;\"]+@[A-Za-z0-9.-]+|[\w .&'-]{1,100} <[^\s<>@,;\"]+@[A-Za-z0-9.-]+>"
)
_LOOPBACK_HOSTS: Final = ("localhost", "127.0.0.1", "[::1]")
_HOST: Final = re.compile(r"(\*\.)?[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\]")


class Variable(Struct, frozen=True):
    """One environment variable: its name, what it means, and how its text is read."""

    name: str
    meaning: str
    parse: Callable[[str], object]
    default: str | None = None
    """The text used when the variable is unset; `None` when the absence has a meaning."""
    otherwise: str = ""
    """What an unset variable means, for the reference page, where `default` does not say it."""
    alias: str | None = None
    is_secret: bool = False


def choice(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be one of {', '.join(choices)}, not {text!r}")
        return text

    return parse


def whole(*, least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if _NUMBER.fullmatch(text) is None or not least <= int(text) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def duration_seconds(*, least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        match = _DURATION.fullmatch(text)
        seconds = int(match[1]) * _SECONDS_PER_UNIT[match[2]] if match else -1
        if not least <= seconds <= most:
            raise ValueError(
                f"must be a duration such as 15m, 1h or 900 (seconds), "
                f"from {least} s to {most} s, not {text!r}"
            )
        return seconds

    return parse


def schedule_minutes(text: str) -> tuple[int, ...]:
    read_step = whole(least=1, most=_YEAR_MINUTES)
    steps = tuple(read_step(part.strip()) for part in text.split(","))
    if list(steps) != sorted(set(steps)):
        raise ValueError(f"must be minutes in rising order, such as 60,300,1800, not {text!r}")
    return steps


def _split_url(text: str, schemes: tuple[str, ...]) -> SplitResult:
    """The parts of a URL; the refusal never quotes it, for it may hold a password."""
    wanted = f"must be a URL that starts with {' or '.join(s + '://' for s in schemes)}"
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError(wanted) from None
    if parts.scheme not in schemes:
        raise ValueError(wanted)
    return parts


def database_url(text: str) -> Secret:
    parts = _split_url(text, ("postgresql", "postgres"))
    if not parts.path.strip("/"):
        raise ValueError("must name a database, as in postgresql://user:password@host/bursar")
    return Secret(text)


def network_url(*schemes: str) -> Callable[[str], Secret]:
    def parse(text: str) -> Secret:
        parts = _split_url(text, schemes)
        if not parts.hostname and not parts.path:
            raise ValueError("must name a host")
        return Secret(text)

    return parse


def web_url(text: str) -> str:
    parts = _split_url(text, ("http", "https"))
    if not parts.hostname or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("must be an http(s) address without user, query or fragment")
    return text.rstrip("/")


def networks(text: str) -> tuple[Network, ...]:
    found: list[Network] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        try:
            found.append(ipaddress.ip_network(part))
        except ValueError:
            raise ValueError(
                f"must be addresses or networks such as 10.0.0.0/8, not {part!r}"
            ) from None
        if found[-1].prefixlen == 0:
            raise ValueError(f"{part} would trust every address; name your proxies")
    return tuple(found)


def proxies(text: str) -> Proxies:
    """The networks of our proxies, or their number."""
    if text.isdigit():
        return whole(least=0, most=_PROXIES_MAX)(text)
    return networks(text)


def origins(text: str) -> tuple[str, ...]:
    """Web origins as browsers send them, without a path."""
    found = tuple(filter(None, (part.strip() for part in text.split(","))))
    for origin in found:
        parts = _split_url(origin, ("http", "https"))
        if origin != f"{parts.scheme}://{parts.netloc}".lower() or not parts.hostname:
            raise ValueError(f"must be origins such as https://shop.example.com, not {origin!r}")
        if "@" in parts.netloc or "*" in parts.netloc:
            raise ValueError("must name each origin in full, without user or wildcard")
    return found


def hosts(text: str) -> tuple[str, ...]:
    hosts = tuple(filter(None, (part.strip().lower() for part in text.split(","))))
    for host in hosts:
        if _HOST.fullmatch(host) is None:
            raise ValueError(f"must be host names without scheme or port, not {host!r}")
    return hosts


def sender(text: str) -> str:
    """Whom mail is from."""
    if _SENDER.fullmatch(text) is None:
        raise ValueError(f"must be an address, or a name before one in <>, not {text!r}")
    return text


def log_level(text: str) -> str:
    """The level's name; `warn` is an old spelling of `warning`."""
    return choice("debug", "info", "warning", "error")("warning" if text == "warn" else text)


def secret(text: str) -> Secret:
    return Secret(text)


def root_secret(text: str) -> Secret:
    if len(text.encode()) < SECRET_BYTES_MIN:
        raise ValueError(f"must have at least {SECRET_BYTES_MIN} bytes; `openssl rand -hex 32`")
    return Secret(text)


def stripe_key(text: str) -> Secret:
    if not text.startswith(("sk_", "rk_")):
        raise ValueError("must be a Stripe secret or restricted key (sk_… or rk_…)")
    return Secret(text)


def directory(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is not a directory")
    return path


def hosts_of(public_url: str) -> tuple[str, ...]:
    """The names that requests may come under: the public one, and this machine's own."""
    host = urlsplit(public_url).hostname or "localhost"
    shown = f"[{host}]" if ":" in host else host
    return tuple(dict.fromkeys((shown, *_LOOPBACK_HOSTS)))
