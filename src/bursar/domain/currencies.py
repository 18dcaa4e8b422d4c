"""The currencies we can bill in, and how many decimals each one has: our own frozen ISO 4217 table.

The table is copied from ISO 4217 list one (January 2026) and is never read from a library, so an
upgrade of a dependency cannot move a decimal point. Codes without a minor unit (gold, test codes)
are left out, and so are CLF and UYW: they are units of account with four decimals, no processor
settles in them, and every amount field of ours is proven for 0, 2 and 3 decimals only.
"""

from types import MappingProxyType
from typing import Final, NewType

Currency = NewType("Currency", str)

_NO_DECIMALS: Final = "bif clp djf gnf isk jpy kmf krw pyg rwf ugx uyi vnd vuv xaf xof xpf"
_TWO_DECIMALS: Final = (
    "aed afn all amd aoa ars aud awg azn bam bbd bdt bmd bnd bob bov brl bsd btn bwp byn bzd cad "
    "cdf che chf chw cny cop cou crc cup cve czk dkk dop dzd egp ern etb eur fjd fkp gbp gel ghs "
    "gip gmd gtq gyd hkd hnl htg huf idr ils inr irr jmd kes kgs khr kpw kyd kzt lak lbp lkr lrd "
    "lsl mad mdl mga mkd mmk mnt mop mru mur mvr mwk mxn mxv myr mzn nad ngn nio nok npr nzd pab "
    "pen pgk php pkr pln qar ron rsd rub sar sbd scr sdg sek sgd shp sle sos srd ssp stn svc syp "
    "szl thb tjs tmt top try ttd twd tzs uah usd usn uyu uzs ved ves wst xad xcd xcg yer zar zmw "
    "zwg"
)
_THREE_DECIMALS: Final = "bhd iqd jod kwd lyd omr tnd"

EXPONENTS: Final = MappingProxyType(
    {
        Currency(code): exponent
        for exponent, codes in ((0, _NO_DECIMALS), (2, _TWO_DECIMALS), (3, _THREE_DECIMALS))
        for code in codes.split()
    }
)
"""Currency code to the number of decimals of its minor unit: JPY 0, USD 2, KWD 3."""


class UnknownCurrency(ValueError):
    """The text is not a currency of our table, or not in lower case."""


def currency(text: str) -> Currency:
    """The currency this text names, letter for letter: `usd` is one, `USD` and `us` are not.

    Raises:
        UnknownCurrency: the text is not in the table.
    """
    code = Currency(text)
    if code not in EXPONENTS:
        raise UnknownCurrency("expected a lower-case ISO 4217 currency code such as usd")
    return code


def exponent_of(code: Currency) -> int:
    """How many decimals the currency's minor unit has."""
    return EXPONENTS[code]
