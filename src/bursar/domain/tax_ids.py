"""VAT identification numbers of the European Union: what each country's look like.

Only the form is judged; whether a number is anybody's is for the country's register to say. What
is not written as such a number, a tax id of elsewhere, is taken as it is.
"""

import re
from typing import Final

from bursar.domain.refusals import InvalidInput

# The forms of the Commission's register (VIES), by the prefix the number is written with.
_FORMS: Final = {
    "AT": r"U\d{8}",
    "BE": r"[01]\d{9}",
    "BG": r"\d{9,10}",
    "CY": r"\d{8}[A-Z]",
    "CZ": r"\d{8,10}",
    "DE": r"\d{9}",
    "DK": r"\d{8}",
    "EE": r"\d{9}",
    "EL": r"\d{9}",
    "ES": r"[A-Z0-9]\d{7}[A-Z0-9]",
    "FI": r"\d{8}",
    "FR": r"[A-HJ-NP-Z0-9]{2}\d{9}",
    "HR": r"\d{11}",
    "HU": r"\d{8}",
    "IE": r"\d[A-Z0-9+*]\d{5}[A-Z]{1,2}",
    "IT": r"\d{11}",
    "LT": r"(?:\d{9}|\d{12})",
    "LU": r"\d{8}",
    "LV": r"\d{11}",
    "MT": r"\d{8}",
    "NL": r"\d{9}B\d{2}",
    "PL": r"\d{10}",
    "PT": r"\d{9}",
    "RO": r"\d{2,10}",
    "SE": r"\d{12}",
    "SI": r"\d{8}",
    "SK": r"\d{10}",
    "XI": r"(?:\d{9}|\d{12}|GD\d{3}|HA\d{3})",
}
_COMPILED: Final = {prefix: re.compile(prefix + form, re.ASCII) for prefix, form in _FORMS.items()}
_PREFIX_OF: Final = {"GR": "EL"}
_SPACING: Final = str.maketrans("", "", " .-/")


def require_form(tax_id: str | None, *, country: str | None) -> None:
    """Refuse a number that begins as one of an EU country does and goes on as none.

    With a country the number is judged only when it begins as that country's do; without one,
    when it begins as any of them. A number with another beginning is that country's own affair.

    Raises:
        InvalidInput: it is not written as that country writes its VAT numbers.
    """
    if tax_id is None:
        return
    plain = tax_id.translate(_SPACING).upper()
    prefix = plain[:2] if country is None else _PREFIX_OF.get(country, country)
    form = _COMPILED.get(prefix)
    if form is None or not plain.startswith(prefix):
        return
    if form.fullmatch(plain) is None:
        says = f"is not written as VAT numbers of {prefix} are"
        raise InvalidInput.at("taxId", says, "vat_id")
