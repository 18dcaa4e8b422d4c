"""The import contracts still bite: a skeleton of the house keeps them, planted lines break each."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.architecture.source import ROOT

ROOMS = (
    *(
        "bursar/main",
        "bursar/serving",
        "bursar/standing",
        "bursar/working",
        "bursar/api/v1/a",
        "bursar/api/v1/b",
    ),
    *("bursar/cli/a", "bursar/console/a"),
    "bursar/domain/a",
    *("bursar/domain/customers", "bursar/domain/invoices", "bursar/flows/a", "bursar/flows/b"),
    *("bursar/jobs/a", "bursar/migrations/a", "bursar/operations/a", "bursar/operations/b"),
    *("bursar/providers/guard", "bursar/providers/mail", "bursar/providers/stripe/client"),
    *(
        "bursar/reads/a",
        "bursar/reads/b",
        "bursar/runtime/db",
        "bursar/store/a",
        "bursar_sandbox/main",
    ),
)
# The line planted, where, and the contract that it must break.
PLANTED = (
    ("bursar/domain/a", "import bursar.store.a", "Floors: imports only go down"),
    ("bursar/domain/a", "import socket", "Domain is pure"),
    ("bursar/operations/a", "import aiohttp", "The database hand never touches the network"),
    (
        "bursar/providers/mail",
        "import bursar.reads.a",
        "The network hand never touches the database",
    ),
    ("bursar/flows/a", "import bursar.store.a", "Only operations write"),
    ("bursar/api/v1/a", "import bursar.providers.mail", "Only assembly knows a concrete provider"),
    ("bursar/operations/a", "import bursar.operations.b", "Operations do not know each other"),
    ("bursar/flows/a", "import bursar.flows.b", "Flows do not know each other"),
    ("bursar/reads/a", "import bursar.reads.b", "Reads do not know each other"),
    ("bursar/api/v1/a", "import bursar.api.v1.b", "Routes do not know each other"),
    ("bursar/console/a", "import bursar.reads.a", "The console asks the API's own routes"),
    ("bursar/api/v1/a", "import bursar.console.a", "Floors: imports only go down"),
    (
        "bursar/providers/mail",
        "import bursar.providers.stripe.client",
        "Providers share nothing but their guard and what it notes",
    ),
    ("bursar/flows/a", "import litestar", "Web and terminal words stay at the edges"),
    ("bursar/flows/a", "import jinja2", "Templates are for pages and mail"),
    (
        "bursar/domain/customers",
        "import bursar.domain.invoices",
        "Nouns of the domain have an order",
    ),
    ("bursar/reads/b", "import bursar.runtime.db\nimport bursar.store.a", "Only operations write"),
    ("bursar/runtime/db", "import bursar_sandbox.main", "The sandbox processor is a stranger"),
    ("bursar/store/a", "import bursar.reads.b", "No circles anywhere"),
    ("bursar/utils/a", "", "Floors: imports only go down"),
)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for room in ROOMS:
        plant(tmp_path, room, "import bursar.providers.guard" if room.endswith("client") else "")
    return tmp_path


def plant(house: Path, room: str, line: str) -> None:
    path = house / f"{room}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(f"{line}\n")
    for folder in path.relative_to(house).parents[:-1]:
        (house / folder / "__init__.py").touch()


def broken(house: Path) -> set[str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {"PYTHONPATH": str(house), "COLUMNS": "200", "NO_COLOR": "1"}
    ran = subprocess.run(
        command, cwd=house, env=environment, capture_output=True, text=True, check=False
    )
    assert "Contracts: " in ran.stdout, ran.stdout + ran.stderr
    return {line.rpartition(" BROKEN")[0] for line in ran.stdout.splitlines() if " BROKEN" in line}


def test_clean_house_keeps_contracts(house: Path) -> None:
    # A house with every floor and no wrong import is accepted.
    assert broken(house) == set()


def test_planted_lines_break_contracts(house: Path) -> None:
    # All wrong imports at once break every contract, so none of them is blind.
    for room, line, _ in PLANTED:
        plant(house, room, line)
    assert {contract for _, _, contract in PLANTED} - broken(house) == set()
