"""Run a load test: `python3 load/run.py mixed --profile load`, against `BASE_URL`.

Needs Locust (Debian's python3-locust, or `pip install locust` in an environment of its own), and
nothing of Bursar: it may run on another machine. Writes an HTML and a JSON report into the folder
of `--out`; exits with 1 when a threshold is not met.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

from terms import PROFILES, SCENARIOS

_HERE = Path(__file__).resolve().parent


def main():
    """Start Locust without a face, and end as it ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", choices=sorted(SCENARIOS))
    parser.add_argument("--profile", choices=PROFILES, default="load")
    parser.add_argument("--out", type=Path, default=Path("load-reports"))
    asked = parser.parse_args()
    locust = shutil.which("locust")
    if locust is None:
        sys.exit("load: Locust is not installed; on Debian: apt-get install python3-locust")
    asked.out.mkdir(parents=True, exist_ok=True)
    name = f"{asked.scenario}-{asked.profile}"
    told = {
        "LOAD_SCENARIO": asked.scenario,
        "LOAD_PROFILE": asked.profile,
        "LOAD_REPORT": str((asked.out / f"{name}.json").resolve()),
    }
    command = (
        *(locust, "--headless", "--only-summary", "-f", str(_HERE / "locustfile.py")),
        *("--host", os.environ.get("BASE_URL", "http://localhost:3000")),
        *("--html", str((asked.out / f"{name}.html").resolve())),
    )
    sys.exit(subprocess.run(command, env={**os.environ, **told}, cwd=_HERE, check=False).returncode)


if __name__ == "__main__":
    main()
