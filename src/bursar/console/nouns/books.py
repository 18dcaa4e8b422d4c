"""The ledger as an accountant reads it, and what the processor's books say otherwise."""

from typing import Final

from bursar.console.nouns.columns import (
    AS_OF,
    BALANCE,
    CURRENCY,
    KIND,
    OCCURRED,
    code,
    flag,
    money,
    ref,
    status,
    wide,
)
from bursar.console.nouns.shape import Filter, Noun, Part, Section

ACCOUNTS: Final = Noun(
    slug="accounts",
    title="Accounts",
    one="account",
    section=Section.BOOKS,
    teaches="Accounts appear with the first thing that is booked on them.",
    rows="listAccounts",
    columns=(
        code("Account", of="code"),
        KIND,
        CURRENCY,
        BALANCE,
    ),
    filters=(AS_OF,),
    command="bursar ledger accounts",
)

POSTINGS: Final = Noun(
    slug="postings",
    title="Postings",
    one="posting",
    section=Section.BOOKS,
    teaches="Each posting books one fact on two accounts or more, and sums to zero.",
    rows="listPostings",
    columns=(
        OCCURRED,
        status(of="kind", label="Kind"),
        wide("What", of="description"),
        ref("Because of", of="sourceId"),
        ref("Corrects", of="correctsId"),
    ),
    filters=(
        Filter(name="sourceId", label="Because of (id)"),
        Filter(name="account", label="Account"),
    ),
    command="bursar ledger postings",
)

TRIAL_BALANCE: Final = Noun(
    slug="trial-balance",
    title="Trial balance",
    one="trial balance",
    section=Section.BOOKS,
    teaches="Every account with its debit or credit; both sides are the same, or an alarm rings.",
    rows="getTrialBalance",
    columns=(
        CURRENCY,
        money("Debit", of="debitCents"),
        money("Credit", of="creditCents"),
        flag("Balanced", of="isBalanced"),
    ),
    filters=(AS_OF,),
    parts=(
        Part(
            title="",
            own="rows",
            columns=(
                code("Account", of="account"),
                KIND,
                money("Debit", of="debitCents"),
                money("Credit", of="creditCents"),
            ),
        ),
    ),
    command="bursar report trial-balance",
)

RECONCILIATION: Final = Noun(
    slug="reconciliation",
    title="Reconciliation",
    one="difference",
    section=Section.BOOKS,
    teaches="Our books and the processor's say the same. A difference would stand here with its"
    " likely cause and how to mend it.",
    rows="listDifferences",
    columns=(
        status(of="kind", label="Kind"),
        ref("Of", of="resourceId"),
        money("Ours", of="oursCents"),
        money("Theirs", of="theirsCents"),
        wide("Likely cause", of="cause"),
        wide("How to mend it", of="repair"),
        OCCURRED,
    ),
    command="bursar report reconcile",
    aside="It asks the processor anew first, and mends what that tells.",
)

ALL: Final = (ACCOUNTS, POSTINGS, TRIAL_BALANCE, RECONCILIATION)
