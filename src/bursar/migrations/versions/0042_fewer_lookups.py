"""The bound organization and the balance of postings are proven with fewer look-ups.

Revision ID: 0042
"""

from bursar.migrations.scripts import run_scripts

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("500_fewer_lookups",))
