"""Which amounts and currencies may be charged: published minimums, maximums and divisibility."""

from bursar_sandbox.core.params import Params
from bursar_sandbox.core.refusals import invalid

CURRENCIES = frozenset(
    {
        "usd", "aed", "afn", "all", "amd", "ang", "aoa", "ars", "aud", "awg", "azn", "bam", "bbd",
        "bdt", "bgn", "bhd", "bif", "bmd", "bnd", "bob", "brl", "bsd", "bwp", "byn", "bzd", "cad",
        "cdf", "chf", "clp", "cny", "cop", "crc", "cve", "czk", "djf", "dkk", "dop", "dzd", "egp",
        "etb", "eur", "fjd", "fkp", "gbp", "gel", "gip", "gmd", "gnf", "gtq", "gyd", "hkd", "hnl",
        "htg", "huf", "idr", "ils", "inr", "isk", "jmd", "jod", "jpy", "kes", "kgs", "khr", "kmf",
        "krw", "kwd", "kyd", "kzt", "lak", "lbp", "lkr", "lrd", "lsl", "mad", "mdl", "mga", "mkd",
        "mmk", "mnt", "mop", "mur", "mvr", "mwk", "mxn", "myr", "mzn", "nad", "ngn", "nio", "nok",
        "npr", "nzd", "omr", "pab", "pen", "pgk", "php", "pkr", "pln", "pyg", "qar", "ron", "rsd",
        "rub", "rwf", "sar", "sbd", "scr", "sek", "sgd", "shp", "sle", "sos", "srd", "std", "szl",
        "thb", "tjs", "tnd", "top", "try", "ttd", "twd", "tzs", "uah", "ugx", "uyu", "uzs", "vnd",
        "vuv", "wst", "xaf", "xcd", "xof", "xpf", "yer", "zar", "zmw",
    }
)  # fmt: skip
MINIMUMS = {
    "usd": 50, "aed": 200, "aud": 50, "bgn": 100, "brl": 50, "cad": 50, "chf": 50, "czk": 1500,
    "dkk": 250, "eur": 50, "gbp": 30, "hkd": 400, "huf": 17500, "inr": 50, "jpy": 50, "mxn": 1000,
    "myr": 200, "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
DIGITS_DEFAULT = 8
DIGITS = {"idr": 12, "cop": 10, "huf": 10, "jpy": 10, "lbp": 10, "inr": 9}
MULTIPLES = {"bhd": 10, "jod": 10, "kwd": 10, "omr": 10, "tnd": 10, "isk": 100, "ugx": 100}


def currency(params: Params, name: str = "currency") -> str:
    """A supported currency, in lower case.

    Raises:
        Refusal: absent or unknown.
    """
    code = params.required(name).lower()
    if code not in CURRENCIES:
        raise invalid(f"Invalid currency: {code[:20]}.", params.label(name))
    return code


def check(amount: int, code: str, param: str = "amount") -> None:
    """Refuse what no card network would take.

    Raises:
        Refusal: not positive, too small, too large, or not a whole cash unit.
    """
    if amount < 1:
        raise invalid(
            "This value must be greater than or equal to 1.", param, "parameter_invalid_integer"
        )
    if amount < MINIMUMS.get(code, 1):
        least = MINIMUMS[code]
        message = f"Amount must be at least {least} in the smallest unit of {code}."
        raise invalid(message, param, "amount_too_small")
    most = 10 ** DIGITS.get(code, DIGITS_DEFAULT) - 1
    if amount > most:
        message = f"Amount must be no more than {most} in the smallest unit of {code}."
        raise invalid(message, param, "amount_too_large")
    multiple = MULTIPLES.get(code, 1)
    if amount % multiple:
        message = f"Amounts in {code} must be divisible by {multiple}."
        raise invalid(message, param, "parameter_invalid_integer")
