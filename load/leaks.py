"""What the server uses while it is loaded: memory and open files, as its own `/metrics` tells them.

Sockets are open files, so a connection that is never given back shows there. A soak compares the
middle of its run, when everybody is there and caches are full, with its end.
"""

import re
import urllib.request
from statistics import median

import gevent

EVERY_SECONDS = 5
GROWTH_MAX = {"memoryBytes": 1.15, "openFiles": 1.10}
FILES_AT_LEAST = 10  # a handful more or less is no leak, however few there were
_METRICS = {"memoryBytes": "process_resident_memory_bytes", "openFiles": "process_open_fds"}


class Uses:
    """Samples since the start, in order."""

    def __init__(self, host):
        self.host = host
        self.samples = []

    def watch(self):
        """Look every few seconds, until the program ends; a look that fails is left out."""
        while True:
            try:
                with urllib.request.urlopen(f"{self.host}/metrics", timeout=10) as answer:
                    self.samples.append(read(answer.read().decode()))
            except OSError as away:
                print(f"load: /metrics does not answer: {away}")
            gevent.sleep(EVERY_SECONDS)

    def told(self):
        """The middle and the end of each figure, and whether the end is as good as the middle."""
        return {name: self._compared(name) for name in _METRICS}

    def _compared(self, name):
        values = [sample[name] for sample in self.samples if name in sample]
        if len(values) < 5:
            return {"middle": None, "end": None, "isFlat": None}
        fifth = len(values) // 5
        middle, end = median(values[2 * fifth : 3 * fifth + 1]), median(values[-fifth:])
        slack = FILES_AT_LEAST if name == "openFiles" else 0
        is_flat = end <= middle * GROWTH_MAX[name] + slack
        return {"middle": middle, "end": end, "isFlat": is_flat}


def read(text):
    """The sum over all processes of each figure that is there."""
    found = {}
    for name, metric in _METRICS.items():
        values = re.findall(rf"^{metric}(?:\{{[^}}]*\}})? (\S+)$", text, re.MULTILINE)
        if values:
            found[name] = sum(map(float, values))
    return found
