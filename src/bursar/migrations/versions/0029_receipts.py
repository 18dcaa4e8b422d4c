"""Good answers of webhook endpoints are recorded many at once.

Revision ID: 0029
"""

from bursar.migrations.scripts import run_scripts

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("370_receipts",))
