"""The part of the sample story in which an organization's time is stopped and let go."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from bursar.domain import ids, test_clocks
from bursar.domain.change import Change
from bursar.domain.test_clocks import OrgClock

_CLOCK: Final = ids.ClockId("clk_0195a1b2-c3d4-7020-8000-0123456789ab")


def clock_story(at: datetime) -> Iterator[Change]:
    """Stopped, sent ahead by a month, arrived, released."""
    clock = OrgClock(
        id=_CLOCK,
        now_at=at,
        departed_at=None,
        target_at=None,
        version=1,
        sequence=0,
        created_at=at,
        updated_at=at,
    )
    yield test_clocks.first_freeze(clock)
    departing = clock.advance(at + timedelta(days=31), timezone="UTC")
    assert departing is not None
    yield departing
    (departed,) = departing.rows
    assert isinstance(departed, OrgClock)
    yield departed.arrive()
    released = clock.release()
    assert released is not None
    yield released
