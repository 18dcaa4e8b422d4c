"""The foundation: tenant context, people, organizations, invoicing, ledger, events, machine.

Revision ID: 0001
"""

from bursar.migrations.scripts import run_scripts

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCRIPTS = (
    "010_context",
    "020_directory",
    "030_orgs",
    "040_invoicing",
    "050_ledger",
    "060_events",
    "queue",
    "070_machine",
    "090_access",
)


def upgrade() -> None:
    """Run the scripts in order, each in one go."""
    run_scripts(SCRIPTS)
