"""Memory: what a server was lent for a moment does not stay with it."""

import os
import subprocess
import sys
from pathlib import Path

from bursar.runtime.garbage import LARGE_PAGES

# Four threads, each of which borrows what a password's hash takes, twice over.
PROGRAM = """
import sys, threading
from argon2.low_level import Type, hash_secret
from bursar.runtime.garbage import give_back_large_blocks

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096 // 1_000_000

def hash_twice():
    for _ in range(2):
        hash_secret(b"secret", b"salt" * 4, 2, 19_456, 1, 32, Type.ID)
        met.wait()

if sys.argv[1] == "given back":
    give_back_large_blocks()
before, met = resident(), threading.Barrier(4)
threads = [threading.Thread(target=hash_twice) for _ in range(4)]
for one in threads:
    one.start()
for one in threads:
    one.join()
print(resident() - before)
"""


def kept(how: str) -> int:
    """How many megabytes the program has more than before."""
    ran = subprocess.run(
        (sys.executable, "-c", PROGRAM, how), capture_output=True, text=True, check=True, timeout=60
    )
    return int(ran.stdout)


def test_what_a_hash_took_is_given_back() -> None:
    # Whoever checked passwords is as small afterwards as before; without our word it is not.
    assert kept("given back") < 10
    assert kept("kept") > 30


# How many pages one hash is lent, when the process gives large blocks back.
LENT = """
import resource
from argon2.low_level import Type, hash_secret
from bursar.runtime.garbage import give_back_large_blocks

def lent():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def hash_once():
    hash_secret(b"secret", b"salt" * 4, 2, 19_456, 1, 32, Type.ID)

give_back_large_blocks()
hash_once()
before = lent()
hash_once()
print(lent() - before)
"""


def pages(environment: dict[str, str]) -> int:
    ran = subprocess.run(
        (sys.executable, "-c", LENT),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    return int(ran.stdout)


def test_a_hash_is_lent_large_pages() -> None:
    # A dozen instead of five thousand, where the kernel gives them to who asks; never more.
    asked, plain = pages(LARGE_PAGES), pages({"GLIBC_TUNABLES": ""})
    offered = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    is_offered = offered.exists() and "[madvise]" in offered.read_text()
    assert asked <= (plain // 2 if is_offered else plain + 50)
