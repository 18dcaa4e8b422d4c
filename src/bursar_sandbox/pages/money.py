"""Amounts as people read them: the currency's code, grouped digits, its own number of decimals."""

ZERO_DECIMAL = frozenset(
    {
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
        "xof", "xpf",
    }
)  # fmt: skip
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})


def money(amount: int, currency: str) -> str:
    """`money(199900, "usd")` is `USD 1,999.00`."""
    decimals = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    whole, rest = divmod(amount, 10**decimals)
    tail = f".{rest:0{decimals}}" if decimals else ""
    return f"{currency.upper()} {whole:,}{tail}"
