"""The commit-msg hook lets Conventional Commits through, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.architecture.source import ROOT

GOOD = (
    "feat: number invoices without gaps",
    "fix(payments): settle a late success once",
    "feat(api)!: name the field in every refusal",
    "chore!: drop Python 3.10",
    "docs: say what a hold is\n\nA hold posts nothing.\n",
    "perf(store): one round trip\n# Please enter the commit message\n",
    "\n\nrevert: number drafts\n",
    "build(deps): lock again\n\nWhy.\n# ------ >8 ------\nnot a message\n",
)
BAD = (
    "number invoices without gaps",
    "feature: number invoices",
    "Feat: number invoices",
    "feat number invoices",
    "feat:number invoices",
    "feat:  number invoices",
    "feat : number invoices",
    "feat:",
    "feat: ",
    "feat(): number invoices",
    "feat(api) : number invoices",
    "feat!(api): number invoices",
    "Merge branch 'main'",
    "fixup! feat: number invoices",
    "WIP",
    "feat: number invoices\nwithout an empty line",
)


def refusal_of(message: str, folder: Path) -> str | None:
    """What the hook says, run as git runs it; None when it lets the message through."""
    path = folder / "COMMIT_EDITMSG"
    path.write_text(message)
    command = [sys.executable, str(ROOT / ".githooks/commit-msg"), str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    return None if ran.returncode == 0 else ran.stderr


@pytest.mark.parametrize("message", GOOD)
def test_lets_through(message: str, tmp_path: Path) -> None:
    # A Conventional Commit passes, with git's own comments and scissors in it.
    assert refusal_of(message, tmp_path) is None


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, tmp_path: Path) -> None:
    # Anything else is refused, and the refusal says what is wanted.
    assert "first line" in (refusal_of(message, tmp_path) or "")
