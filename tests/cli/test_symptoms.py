"""What `bursar doctor` makes of what it saw."""

from bursar.cli.symptoms import State, of_machine, of_redis
from bursar.domain.frozen import replace
from bursar.runtime.vitals import Vitals

WELL = Vitals(
    skew_seconds=0.1,
    workers=2,
    held=0,
    paused=(),
    late_seconds=1,
    months_ahead=12,
    is_unconfirmed=False,
)


def states(seen: Vitals) -> dict[str, State]:
    return {each.what: each.state for each in of_machine(seen)}


def test_all_is_well() -> None:
    # Nothing to say but that it is so.
    assert set(states(WELL).values()) == {State.OK}


def test_each_ill_has_its_line() -> None:
    # A problem fails the command; what may be meant so is only noted. Each says what helps.
    cases = {
        "clock": (replace(WELL, skew_seconds=-30), State.PROBLEM),
        "worker": (replace(WELL, workers=0), State.NOTE),
        "lateness": (replace(WELL, late_seconds=900), State.PROBLEM),
        "partitions": (replace(WELL, months_ahead=0), State.PROBLEM),
        "dead letters": (replace(WELL, held=3), State.NOTE),
        "pause": (replace(WELL, paused=("usage",)), State.NOTE),
        "backup": (replace(WELL, is_unconfirmed=True), State.PROBLEM),
    }
    for what, (seen, state) in cases.items():
        (found,) = [each for each in of_machine(seen) if each.what == what]
        assert (found.state, bool(found.advice)) == (state, True), what
    assert of_redis(is_connected=False).state is State.PROBLEM
