"""The table of accounting moves: which accounts each debits, and which it credits.

The ledger's page is made from it, and every template of `domain/chart.py` is held against it.
"""

from typing import Final

from msgspec import Struct


class Move(Struct, frozen=True):
    """A row of the table: the accounts a move may touch, by the first word of their code."""

    kind: str
    debits: tuple[str, ...]
    credits: tuple[str, ...]
    meaning: str


MOVES: Final = (
    Move(
        "invoice_finalized",
        ("receivable", "revenue", "tax_payable"),
        ("revenue", "tax_payable"),
        "The customer owes the total; we earned the net and hold the tax. What a line gives back "
        "lowers both.",
    ),
    Move(
        "excess_credited",
        ("revenue", "tax_payable"),
        ("credit", "revenue", "tax_payable"),
        "An invoice gives back more than it charges: the customer has the excess as credit.",
    ),
    Move(
        "invoice_voided",
        ("revenue", "tax_payable", "credit"),
        ("receivable", "revenue", "tax_payable"),
        "The reverse of what was finalized.",
    ),
    Move(
        "payment_succeeded",
        ("processor",),
        ("receivable",),
        "The processor holds the money; the customer owes that much less.",
    ),
    Move(
        "payment_recorded",
        ("bank",),
        ("receivable",),
        "Money came by bank transfer, check or cash; an accountant wrote it down.",
    ),
    Move(
        "overpayment",
        ("processor", "bank"),
        ("credit",),
        "Money came that no open invoice was waiting for: the customer has it as credit.",
    ),
    Move(
        "opening_balance",
        ("external",),
        ("credit",),
        "A customer comes from elsewhere with something to their credit.",
    ),
    Move(
        "credit_applied",
        ("credit",),
        ("receivable",),
        "The customer's credit pays for what is owed.",
    ),
    Move(
        "invoice_written_off",
        ("bad_debt",),
        ("receivable",),
        "Nobody expects what is still due any more.",
    ),
    Move(
        "credit_note_issued",
        ("revenue", "tax_payable"),
        ("receivable", "credit", "revenue", "tax_payable"),
        "What was invoiced is taken back: less is owed; what was paid is credit.",
    ),
    Move(
        "wallet_deposited",
        ("processor", "external"),
        ("wallet",),
        "Money came in from outside, or through the processor, and is stored in a wallet.",
    ),
    Move(
        "wallet_withdrawn",
        ("wallet",),
        ("bank", "external"),
        "Stored money was paid out to its owner.",
    ),
    Move(
        "wallet_paid_invoice",
        ("wallet",),
        ("receivable",),
        "Stored money pays for what is owed.",
    ),
    Move(
        "payment_refunded",
        ("refunds", "credit"),
        ("processor", "bank"),
        "A payment was given back: what paid an invoice, which stays, and what was credit.",
    ),
    Move(
        "deposit_refunded",
        ("wallet",),
        ("processor",),
        "A deposit is given back by the way it came.",
    ),
    Move(
        "stored_payment_refunded",
        ("refunds",),
        ("wallet", "credit"),
        "What an invoice was paid with from a wallet, or from credit, is there again.",
    ),
    Move(
        "refund_failed",
        ("processor", "bank"),
        ("refunds", "credit", "wallet"),
        "The reverse of a refund that was refused, or that came back.",
    ),
    Move(
        "dispute_withdrawn",
        ("disputed", "fees"),
        ("processor",),
        "A bank took a payment back until it is decided, and the processor its fee.",
    ),
    Move(
        "dispute_reinstated",
        ("processor",),
        ("disputed",),
        "The bank gave the money again.",
    ),
    Move(
        "dispute_lost",
        ("bad_debt",),
        ("disputed",),
        "The bank decided against us: the money is gone.",
    ),
    Move(
        "dispute_reopened",
        ("disputed",),
        ("bad_debt",),
        "A lost dispute is open again.",
    ),
    Move(
        "payout_sent",
        ("bank", "fees"),
        ("processor",),
        "The processor sends what it holds to the bank, and keeps its fees.",
    ),
    Move(
        "payout_drawn",
        ("processor", "fees"),
        ("bank", "processor"),
        "More was given back than came: the bank gives it to the processor.",
    ),
    Move(
        "payout_failed",
        ("processor", "bank"),
        ("bank", "fees", "processor"),
        "The reverse of a payout that came back.",
    ),
    Move(
        "hold_captured",
        ("wallet",),
        ("bank", "external"),
        "What was held was really taken, all of it or a part.",
    ),
    Move(
        "transfer_debited",
        ("wallet",),
        ("transit",),
        "The amount has left the sender and is on its way.",
    ),
    Move(
        "transfer_credited",
        ("transit",),
        ("wallet",),
        "The amount has arrived at the receiver.",
    ),
    Move(
        "transfer_refunded",
        ("transit",),
        ("wallet",),
        "The credit was refused: the sender has the amount back.",
    ),
)
