"""How four languages say what stands on a document: labels, months, and how figures are grouped.

An amount carries its currency's code, never a sign that several currencies share. What an
organization or a customer typed is never translated.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from bursar.domain.currencies import Currency, exponent_of
from bursar.domain.document_settings import Language
from bursar.domain.documents import DocumentWords
from bursar.domain.money import Money, format_minor
from bursar.domain.times import Instant


class Wording(Struct, frozen=True, kw_only=True):
    """One language. `day` is filled with day, month and year."""

    point: str
    group: str
    months: tuple[str, ...]
    day: str
    invoice: str
    draft: str
    due: str
    paid: str
    statuses: Mapping[str, str]
    number: str
    issued: str
    due_label: str
    paid_label: str
    voided: str
    subtotal: str
    discount: str
    tax: str
    tax_on: str
    included: str
    total: str
    credited: str
    refunded: str
    credit_note: str
    taken_back: str
    receipt: str
    receipt_for: str
    received: str
    ways: Mapping[str, str]
    tax_id: str
    reverse_charge: str
    words: DocumentWords

    def grouped(self, digits: str) -> str:
        """Plain digits with a point, as this language groups them."""
        whole, point, part = digits.partition(".")
        sign = "-" if whole.startswith("-") else ""
        apart = f"{int(whole.removeprefix('-')):,}".replace(",", self.group)
        return f"{sign}{apart}{self.point if point else ''}{part}"

    def money(self, money: Money) -> str:
        """`1,204.00 USD`, `1.204,00 USD`."""
        return f"{self.grouped(format_minor(money))} {money.currency.upper()}"

    def unit_price(self, minor: Decimal, code: Currency) -> str:
        """A price in whole units with as many decimals as it needs, the currency's at least."""
        exponent = exponent_of(code)
        whole, _, part = f"{minor.scaleb(-exponent):f}".partition(".")
        part = part.rstrip("0").ljust(exponent, "0")
        return f"{self.grouped(f'{whole}.{part}' if part else whole)} {code.upper()}"

    def day_of(self, at: Instant, timezone: str) -> str:
        """`30 June 2026`, `30. Juni 2026`, as the calendar of that place has it."""
        day = at.astimezone(ZoneInfo(timezone))
        return self.day.format(day=day.day, month=self.months[day.month - 1], year=day.year)


ENGLISH: Final = Wording(
    point=".",
    group=",",
    months=(
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    day="{day} {month} {year}",
    invoice="Invoice",
    draft="Draft invoice",
    due="{amount} due {day}",
    paid="{amount} paid {day}",
    statuses=MappingProxyType(
        {
            "draft": "Draft",
            "open": "Open",
            "paid": "Paid",
            "void": "Void",
            "uncollectible": "Uncollectible",
        }
    ),
    number="Invoice number",
    issued="Issued",
    due_label="Due",
    paid_label="Paid",
    voided="Voided",
    subtotal="Subtotal",
    discount="Discount",
    tax="Tax",
    tax_on="{name} {percent} % on {amount}",
    included="{name} {percent} % included in {amount}",
    total="Total",
    credited="Credited",
    refunded="Refunded",
    credit_note="Credit note",
    taken_back="{amount} credited on {day}",
    receipt="Receipt",
    receipt_for="For invoice",
    received="Received",
    ways=MappingProxyType(
        {
            "card": "Card",
            "bank_transfer": "Bank transfer",
            "check": "Check",
            "cash": "Cash",
            "other": "Other",
            "wallet": "Stored value",
            "credit": "Credit balance",
        }
    ),
    tax_id="Tax ID",
    reverse_charge="Reverse charge: the recipient owes the tax.",
    words=DocumentWords(),
)
GERMAN: Final = Wording(
    point=",",
    group=".",
    months=(
        *("Januar", "Februar", "März", "April", "Mai", "Juni"),
        *("Juli", "August", "September", "Oktober", "November", "Dezember"),
    ),
    day="{day}. {month} {year}",
    invoice="Rechnung",
    draft="Rechnungsentwurf",
    due="{amount} fällig am {day}",
    paid="{amount} bezahlt am {day}",
    statuses=MappingProxyType(
        {
            "draft": "Entwurf",
            "open": "Offen",
            "paid": "Bezahlt",
            "void": "Storniert",
            "uncollectible": "Uneinbringlich",
        }
    ),
    number="Rechnungsnummer",
    issued="Rechnungsdatum",
    due_label="Fällig",
    paid_label="Bezahlt",
    voided="Storniert",
    subtotal="Zwischensumme",
    discount="Rabatt",
    tax="Steuer",
    tax_on="{name} {percent} % auf {amount}",
    included="{name} {percent} % enthalten, auf {amount}",
    total="Gesamtbetrag",
    credited="Gutgeschrieben",
    refunded="Erstattet",
    credit_note="Gutschrift",
    taken_back="{amount} gutgeschrieben am {day}",
    receipt="Zahlungsbeleg",
    receipt_for="Zur Rechnung",
    received="Erhalten",
    ways=MappingProxyType(
        {
            "card": "Karte",
            "bank_transfer": "Überweisung",
            "check": "Scheck",
            "cash": "Bar",
            "other": "Anders",
            "wallet": "Guthabenkonto",
            "credit": "Guthaben",
        }
    ),
    tax_id="USt-IdNr.",
    reverse_charge="Steuerschuldnerschaft des Leistungsempfängers.",
    words=DocumentWords(
        bill_to="Rechnung an",
        sender="Von",
        description="Beschreibung",
        quantity="Menge",
        unit_price="Einzelpreis",
        amount="Betrag",
        page="Seite {page} von {pages}",
        note="Hinweis",
        pay_online="Online bezahlen",
        carried="Übertrag",
        bank="Bankverbindung",
    ),
)
FRENCH: Final = Wording(
    point=",",
    group="\u202f",
    months=(
        *("janvier", "février", "mars", "avril", "mai", "juin"),
        *("juillet", "août", "septembre", "octobre", "novembre", "décembre"),
    ),
    day="{day} {month} {year}",
    invoice="Facture",
    draft="Brouillon de facture",
    due="{amount} à régler avant le {day}",
    paid="{amount} réglés le {day}",
    statuses=MappingProxyType(
        {
            "draft": "Brouillon",
            "open": "À régler",
            "paid": "Réglée",
            "void": "Annulée",
            "uncollectible": "Irrécouvrable",
        }
    ),
    number="Numéro de facture",
    issued="Date d’émission",
    due_label="Échéance",
    paid_label="Réglée le",
    voided="Annulée le",
    subtotal="Sous-total",
    discount="Remise",
    tax="Taxes",
    tax_on="{name} {percent} % sur {amount}",
    included="{name} {percent} % inclus, sur {amount}",
    total="Total",
    credited="Crédité",
    refunded="Remboursé",
    credit_note="Avoir",
    taken_back="{amount} crédités le {day}",
    receipt="Reçu",
    receipt_for="Pour la facture",
    received="Reçu le",
    ways=MappingProxyType(
        {
            "card": "Carte",
            "bank_transfer": "Virement",
            "check": "Chèque",
            "cash": "Espèces",
            "other": "Autre",
            "wallet": "Porte-monnaie",
            "credit": "Avoir",
        }
    ),
    tax_id="N° fiscal",
    reverse_charge="Autoliquidation : la taxe est due par le preneur.",
    words=DocumentWords(
        bill_to="Facturé à",
        sender="De",
        description="Description",
        quantity="Quantité",
        unit_price="Prix unitaire",
        amount="Montant",
        page="Page {page} sur {pages}",
        note="Note",
        pay_online="Payer en ligne",
        carried="Report",
        bank="Coordonnées bancaires",
    ),
)
SPANISH: Final = Wording(
    point=",",
    group=".",
    months=(
        *("enero", "febrero", "marzo", "abril", "mayo", "junio"),
        *("julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre"),
    ),
    day="{day} de {month} de {year}",
    invoice="Factura",
    draft="Borrador de factura",
    due="{amount} con vencimiento el {day}",
    paid="{amount} pagados el {day}",
    statuses=MappingProxyType(
        {
            "draft": "Borrador",
            "open": "Pendiente",
            "paid": "Pagada",
            "void": "Anulada",
            "uncollectible": "Incobrable",
        }
    ),
    number="Número de factura",
    issued="Fecha de emisión",
    due_label="Vencimiento",
    paid_label="Pagada",
    voided="Anulada",
    subtotal="Subtotal",
    discount="Descuento",
    tax="Impuestos",
    tax_on="{name} {percent} % sobre {amount}",
    included="{name} {percent} % incluido, sobre {amount}",
    total="Total",
    credited="Abonado",
    refunded="Reembolsado",
    credit_note="Nota de abono",
    taken_back="{amount} abonados el {day}",
    receipt="Recibo",
    receipt_for="De la factura",
    received="Recibido",
    ways=MappingProxyType(
        {
            "card": "Tarjeta",
            "bank_transfer": "Transferencia",
            "check": "Cheque",
            "cash": "Efectivo",
            "other": "Otro",
            "wallet": "Monedero",
            "credit": "Saldo",
        }
    ),
    tax_id="NIF/IVA",
    reverse_charge="Inversión del sujeto pasivo.",
    words=DocumentWords(
        bill_to="Facturar a",
        sender="De",
        description="Descripción",
        quantity="Cantidad",
        unit_price="Precio unitario",
        amount="Importe",
        page="Página {page} de {pages}",
        note="Nota",
        pay_online="Pagar en línea",
        carried="Suma y sigue",
        bank="Datos bancarios",
    ),
)
WORDINGS: Final[Mapping[Language, Wording]] = MappingProxyType(
    {
        Language.ENGLISH: ENGLISH,
        Language.GERMAN: GERMAN,
        Language.FRENCH: FRENCH,
        Language.SPANISH: SPANISH,
    }
)
