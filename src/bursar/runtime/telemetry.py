"""What can be counted and timed, for Prometheus: one registry a process, every metric by name.

Labels are few and closed: route templates, queues, task names, outcomes. An id, an address or any
other word of a customer never becomes a label. Whoever measures calls a verb of `Telemetry`;
whoever is asked for `/metrics` sends `exposition`. When processes share a folder
(`PROMETHEUS_MULTIPROC_DIR`), each of them answers for all.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

_HTTP_SECONDS: Final = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOB_SECONDS: Final = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_PROVIDER_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30)
