"""Answers are kept beside their keys as they are, and a convoy's keys are found by one plan.

Revision ID: 0044
"""

from bursar.migrations.scripts import run_scripts

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("520_kept_answers",))
