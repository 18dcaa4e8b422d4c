"""What is wrong with settings that are each well formed: beside each other, and for production.

Every finding names the setting's attribute and says the rest of the sentence that starts with the
variable's name; no secret is quoted. The first finding ends the start.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from bursar.runtime.settings_text import SECRET_BYTES_MIN

Read: TypeAlias = Mapping[str, Any]
Finding: TypeAlias = tuple[str, str]

_DISTINCT_CHARACTERS_MIN: Final = 8
_ADVICE: Final = "make one with `openssl rand -hex 32`."


def found_wrong(read: Read, *, roots: Iterable[str]) -> Iterator[Finding]:
    """Everything that is wrong; `roots` are the secrets that production must be given strong."""
    yield from _of_the_database(read)
    yield from _of_the_rest(read)
    if read["app_env"] == "production":
        yield from _of_production(read, roots)


def _of_the_database(read: Read) -> Iterator[Finding]:
    if read["database_url"] is None:
        for attribute in ("migration_database_url", "database_direct_url", "database_pooler"):
            if read[attribute] is not None:
                yield attribute, "is set without DATABASE_URL."
    if read["database_pooler"] and read["database_direct_url"] is None:
        yield "database_direct_url", "is required with DATABASE_POOLER."


def _of_the_rest(read: Read) -> Iterator[Finding]:
    retries, waits = read["dunning_retries_max"], len(read["dunning_schedule_minutes"])
    if retries > waits:
        said = f"is {retries}, but DUNNING_SCHEDULE_MINUTES names only {waits} waits."
        yield "dunning_retries_max", said
    if read["secret_key_previous"] is not None and read["secret_key"] is None:
        yield "secret_key_previous", "is set without SECRET_KEY."
    if read["port"] == read["sandbox_port"]:
        yield "sandbox_port", f"is {read['port']}, and so is PORT."


def _of_production(read: Read, roots: Iterable[str]) -> Iterator[Finding]:
    """In production no secret has a default, and none can be guessed."""
    if read["secret_key"] is None:
        yield "secret_key", f"is required in production; {_ADVICE}"
    for attribute in roots:
        secret = read[attribute]
        if secret is None:
            continue
        shown = secret.reveal()
        if len(shown.encode()) < SECRET_BYTES_MIN:
            said = f"must have at least {SECRET_BYTES_MIN} bytes in production; {_ADVICE}"
            yield attribute, said
        if len(set(shown)) < _DISTINCT_CHARACTERS_MIN:
            yield attribute, f"is not random; {_ADVICE}"
    if read["stripe_secret_key"] is not None and read["stripe_webhook_secret"] is None:
        yield "stripe_webhook_secret", "is required with STRIPE_SECRET_KEY."
