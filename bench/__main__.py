"""`python -m bench [name …]`: measure hot paths beside their limits, print a table, write JSON.

Every figure is a ratio measured in one run; absolute numbers are printed and never promised. The
exit code says whether every ratio that must be was reached.
"""

import argparse
import asyncio
import json
import os
import platform
import sys
from dataclasses import fields

from bench import (
    analytics,
    authenticated_get,
    billing_run,
    checkout,
    cold_start,
    console_lists,
    create_invoice,
    get_invoice,
    invoices,
    key_flood,
    sealing,
    signed_context,
    transfers,
    usage_ingest,
    webhooks,
)
from bench.report import Result, table, write
from bench.sides import Effort

BENCHES = {
    create_invoice.NAME: create_invoice.bench,
    get_invoice.NAME: get_invoice.bench,
    invoices.FINALIZE: invoices.bench_finalize,
    invoices.LIST: invoices.bench_list,
    invoices.PRINT: invoices.bench_print,
    invoices.KEPT: invoices.bench_kept,
    usage_ingest.NAME: usage_ingest.bench,
    usage_ingest.DUPLICATES: usage_ingest.bench_duplicates,
    billing_run.NAME: billing_run.bench,
    checkout.NAME: checkout.bench,
    cold_start.NAME: cold_start.bench,
    authenticated_get.NAME: authenticated_get.bench,
    key_flood.NAME: key_flood.bench,
    signed_context.NAME: signed_context.bench,
    transfers.ONE: transfers.bench_one,
    transfers.MANY: transfers.bench_many,
    transfers.HOT: transfers.bench_hot,
    analytics.NAME: analytics.bench,
    webhooks.DELIVERY: webhooks.bench_delivery,
    webhooks.SOON: webhooks.bench_first_byte,
    webhooks.GOODPUT: webhooks.bench_goodput,
    webhooks.ISOLATION: webhooks.bench_isolation,
    sealing.NAME: sealing.bench,
    console_lists.NAME: console_lists.bench,
}


# What one name may stand for.
GROUPS = {
    "invoices": (
        *(create_invoice.NAME, get_invoice.NAME),
        *(invoices.LIST, invoices.FINALIZE, invoices.PRINT, invoices.KEPT),
    )
}


def main() -> None:
    """Run the benches that were named, or all of them."""
    wanted = _arguments()
    effort = Effort(**{each.name: getattr(wanted, each.name) for each in fields(Effort)})
    results = []
    for name in wanted.names or BENCHES:
        print(f"{name} …", file=sys.stderr, flush=True)
        results.append(asyncio.run(BENCHES[name](effort)))
        write(results[-1])
    print(f"{os.cpu_count()} cores, Python {platform.python_version()}, {effort.shown()}")
    print(f"PostgreSQL {json.dumps(results[-1].settings['postgres'])}")
    print(table(results))
    _tell_faults(results)
    sys.exit(0 if all(result.ok for result in results) else 1)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"any of {', '.join((*GROUPS, *BENCHES))}"
    )
    parser.add_argument("--rounds", type=int, default=Effort.rounds)
    parser.add_argument("--seconds", type=float, default=Effort.seconds)
    parser.add_argument("--connections", type=int, default=Effort.connections)
    parser.add_argument("--requests-max", type=int, default=Effort.requests_max)
    parser.add_argument("--history", type=int, default=Effort.history)
    parser.add_argument("--servers", type=int, default=Effort.servers)
    wanted = parser.parse_args()
    wanted.names = [each for name in wanted.names for each in GROUPS.get(name, (name,))]
    unknown = set(wanted.names) - BENCHES.keys()
    if unknown:
        parser.error(f"no bench named {', '.join(sorted(unknown))}")
    return wanted


def _tell_faults(results: list[Result]) -> None:
    for result in results:
        broken = result.detail["broken"]
        assert isinstance(broken, list)
        for fault in broken:
            print(f"{result.name}: {fault}")


if __name__ == "__main__":
    main()
