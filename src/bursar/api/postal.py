"""A postal address as a request gives it: of a customer, or of whoever sends the invoices."""

from msgspec import UNSET, UnsetType

from bursar.api.fields import Body, CountryCode, Name, ShortText


class Address(Body, frozen=True):
    """A postal address; every part of it is optional."""

    line1: Name | UnsetType = UNSET
    line2: Name | UnsetType = UNSET
    city: ShortText | UnsetType = UNSET
    state: ShortText | UnsetType = UNSET
    postal_code: ShortText | UnsetType = UNSET
    country: CountryCode | UnsetType = UNSET

    def to_map(self) -> dict[str, str]:
        """The parts that are named, as they are kept."""
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        parts = {wire: getattr(self, name) for name, wire in names}
        return {wire: part for wire, part in parts.items() if part is not UNSET}
