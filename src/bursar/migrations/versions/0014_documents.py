"""Documents: recurring invoices, kept files, mail settings.

Revision ID: 0014
"""

from bursar.migrations.scripts import run_scripts

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the script in one go."""
    run_scripts(("220_documents",))
