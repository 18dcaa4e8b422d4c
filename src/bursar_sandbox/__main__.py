"""`python -m bursar_sandbox` is the command `bursar-sandbox`."""

from bursar_sandbox.main import run

run()
