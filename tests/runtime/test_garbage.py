"""Memory: what a server was lent for a moment does not stay with it."""

import subprocess
import sys

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
