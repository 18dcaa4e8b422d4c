"""Who may be connected at the same time."""

from ipaddress import ip_network

from bursar.api.crowds import Crowd


def test_an_address_has_so_much_room() -> None:
    # One address takes its share and no more, and what leaves makes room again.
    crowd = Crowd((), each=2, total=10)
    names = [crowd.enter("192.0.2.1") for _ in range(3)]
    assert names == ["192.0.2.1", "192.0.2.1", None]
    assert crowd.enter("192.0.2.2") is not None
    crowd.leave("192.0.2.1")
    assert crowd.enter("192.0.2.1") is not None


def test_a_household_is_one_address() -> None:
    # Moving within one's own network makes no room.
    crowd = Crowd((), each=1, total=10)
    assert crowd.enter("2001:db8::1") is not None
    assert crowd.enter("2001:db8::2") is None
    assert crowd.enter("2001:db8:0:1::1") is not None


def test_proxies_carry_everybody() -> None:
    # Our own proxies are not an address among others; the total holds for them too.
    for proxies in ((ip_network("10.0.0.0/8"),), 1):
        crowd = Crowd(proxies, each=1, total=3)
        assert [crowd.enter("10.0.0.1") is not None for _ in range(4)] == [True] * 3 + [False]
