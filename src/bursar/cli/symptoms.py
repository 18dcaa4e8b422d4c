"""What `bursar doctor` says of an installation, from what was seen of it."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from msgspec import Struct

from bursar.runtime.settings import Settings
from bursar.runtime.vitals import Vitals

_SKEW_SECONDS_MAX: Final = 5
_LATE_SECONDS_MAX: Final = 300
_MONTHS_AHEAD_MIN: Final = 3


class State(StrEnum):
    """How one thing is. Only a problem fails the command."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "PROBLEM"


class Symptom(Struct, frozen=True):
    """One thing that was looked at."""

    what: str
    state: State
    found: str
    advice: str = ""


def of_machine(seen: Vitals) -> Iterator[Symptom]:
    """What the machine's vitals mean."""
    is_skewed = abs(seen.skew_seconds) > _SKEW_SECONDS_MAX
    yield Symptom(
        "clock",
        State.PROBLEM if is_skewed else State.OK,
        f"the database is {seen.skew_seconds:+.1f} s from here",
        "let NTP set both clocks." if is_skewed else "",
    )
    if seen.workers:
        yield Symptom("worker", State.OK, f"{seen.workers} sessions of workers")
    else:
        yield Symptom("worker", State.NOTE, "none works", "`bursar worker` starts one.")
    yield _lateness(seen)
    yield _partitions(seen)
    if seen.held:
        advice = "`bursar queue list --groups` says why they failed."
        yield Symptom("dead letters", State.NOTE, f"{seen.held} are held", advice)
    else:
        yield Symptom("dead letters", State.OK, "none")
    for queue in seen.paused:
        advice = f"`bursar queue resume {queue}` when it may go on."
        yield Symptom("pause", State.NOTE, f"{queue} is paused", advice)
    if seen.is_unconfirmed:
        advice = (
            "start `bursar backup --continuous` again, or do without it (docs/guides/backup.md)."
        )
        yield Symptom("backup", State.PROBLEM, "commits wait for a backup that is away", advice)


def of_redis(*, is_connected: bool) -> Symptom:
    """Whether rate limits are shared; without Redis each process counts for itself."""
    if is_connected:
        return Symptom("redis", State.OK, "connected")
    return Symptom("redis", State.PROBLEM, "does not answer", "start it, or mend REDIS_URL.")


def of_settings(settings: Settings) -> Iterator[Symptom]:
    """What the settings leave open; none of it is wrong by itself."""
    yield _mail(settings)
    yield _stripe(settings)


def _partitions(seen: Vitals) -> Symptom:
    """Events of a month without a partition still find a place, but are archived with nothing."""
    found = f"the event log is made {seen.months_ahead} months ahead"
    if seen.months_ahead >= _MONTHS_AHEAD_MIN:
        return Symptom("partitions", State.OK, found)
    state = State.NOTE if seen.months_ahead else State.PROBLEM
    return Symptom("partitions", state, found, "run `bursar migrate`, which makes a year of them.")


def _lateness(seen: Vitals) -> Symptom:
    found = f"{seen.late_seconds:.0f} s"
    if seen.late_seconds <= _LATE_SECONDS_MAX:
        return Symptom("lateness", State.OK, found)
    state = State.PROBLEM if seen.workers else State.NOTE
    return Symptom("lateness", state, found, "start more workers, or see what they log.")


def _mail(settings: Settings) -> Symptom:
    if settings.email_api_key is not None:
        return Symptom("mail", State.OK, "Resend")
    if settings.smtp_url is not None:
        return Symptom("mail", State.OK, "SMTP")
    state = State.PROBLEM if settings.is_production else State.NOTE
    return Symptom("mail", state, "nothing leaves", "set SMTP_URL or EMAIL_API_KEY.")


def _stripe(settings: Settings) -> Symptom:
    if settings.stripe_secret_key is None:
        advice = "set STRIPE_SECRET_KEY to take live payments."
        return Symptom("stripe", State.NOTE, "not configured; sandbox organizations only", advice)
    is_test = "_test_" in settings.stripe_secret_key.reveal()[:12]
    if is_test and settings.is_production:
        return Symptom("stripe", State.PROBLEM, "a test key", "give the live key in production.")
    return Symptom("stripe", State.OK, "a test key" if is_test else "a live key")
