"""What wallets should be, in plain Python: a second opinion that shares no code with the first."""

from dataclasses import dataclass, field
from typing import Final

DONE: Final = "done"


@dataclass
class Account:
    """One wallet as a child would keep it: lines on paper and money put aside in envelopes."""

    lines: list[tuple[str, int, int]] = field(default_factory=list)
    envelopes: dict[str, int] = field(default_factory=dict)
    is_closed: bool = False
    refuses: bool = False

    @property
    def balance(self) -> int:
        return self.lines[-1][2] if self.lines else 0

    @property
    def available(self) -> int:
        return self.balance - sum(self.envelopes.values())

    def book(self, kind: str, amount: int) -> None:
        self.lines.append((kind, amount, self.balance + amount))

    def deposit(self, amount: int) -> str:
        if self.is_closed:
            return "wallet_closed"
        self.book("wallet_deposited", amount)
        return DONE

    def withdraw(self, amount: int) -> str:
        if self.is_closed:
            return "wallet_closed"
        if amount > self.available:
            return "insufficient_funds"
        self.book("wallet_withdrawn", -amount)
        return DONE

    def hold(self, amount: int) -> str:
        if self.is_closed:
            return "wallet_closed"
        return "insufficient_funds" if amount > self.available else DONE

    def capture(self, name: str, amount: int) -> str:
        if name not in self.envelopes:
            return "illegal_transition"
        if amount > self.envelopes[name]:
            return "invalid_input"
        del self.envelopes[name]
        self.book("hold_captured", -amount)
        return DONE

    def release(self, name: str) -> str:
        if name not in self.envelopes:
            return "illegal_transition"
        del self.envelopes[name]
        return DONE

    def close(self) -> str:
        if self.is_closed:
            return "illegal_transition"
        if self.balance:
            return "still_in_use"
        self.is_closed = True
        return DONE


def transfer(sender: Account, receiver: Account, amount: int) -> str:
    """One amount from one to the other; what a receiver refuses comes back."""
    if sender is receiver:
        return "invalid_input"
    if sender.is_closed or receiver.is_closed:
        return "wallet_closed"
    if amount > sender.available:
        return "insufficient_funds"
    sender.book("transfer_debited", -amount)
    if receiver.refuses:
        sender.book("transfer_refunded", amount)
    else:
        receiver.book("transfer_credited", amount)
    return DONE
