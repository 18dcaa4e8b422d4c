"""What each scenario promises, and how many people come how fast: numbers, and nothing else.

A threshold is the 95th percentile of a name's answers in milliseconds. Thresholds times one decide
the exit code; times a third they are a goal, which the report prints.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Scenario:
    """A load test: who comes, for how long, and what they may expect."""

    users: int
    ramp_seconds: int
    seconds: int
    p95_ms: dict[str, int]
    errors_max: float


SCENARIOS = {
    "auth": Scenario(100, 150, 150, {"login": 300, "register": 500}, 0.05),
    "invoice": Scenario(200, 180, 180, {"create": 800, "list": 500, "get": 300}, 0.01),
    "payment": Scenario(50, 150, 150, {"payment": 1500}, 0.10),
    "mixed": Scenario(100, 10, 180, {"read": 500, "write": 1000, "payment": 2000}, 0.01),
}

PROFILES = ("smoke", "load", "stress", "soak")


def stages(scenario: Scenario, profile: str) -> list[tuple[float, int, float]]:
    """When a stage ends, how many people there are by then, and how many come a second."""
    users, ramp, whole = scenario.users, scenario.ramp_seconds, scenario.seconds
    if profile == "smoke":
        return [(6.0, 8, 8.0)]
    if profile == "load":
        return [(float(whole), users, users / ramp)]
    if profile == "stress":
        # Twice as many every minute, to find where it breaks.
        return [
            (60.0 * step, users * 2 ** (step - 1), users * 2 ** (step - 1) / 20)
            for step in range(1, 6)
        ]
    assert profile == "soak", profile
    return [(600.0, users // 2, users / ramp)]
