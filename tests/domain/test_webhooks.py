"""Which addresses and URLs are refused, when a delivery is tried again, what is signed."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bursar.domain.webhooks import (
    ATTEMPTS_MAX,
    FAST_DELAYS_SECONDS,
    URL_LENGTH_MAX,
    DeliveryVerdict,
    EndpointUrlRefused,
    endpoint_url,
    is_public,
    next_attempt,
    response_excerpt,
    retry_after_seconds,
    signed_content,
    verdict_of,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
HALF_DAY = 43_200

# The special-purpose registries of IANA, written out once more so that the table under test is
# compared with something, and the rows that unwrap to a private address.
SPECIAL_TEXT = """
0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 168.63.129.16/32 169.254.0.0/16 172.16.0.0/12
192.0.0.0/24 192.0.2.0/24 192.31.196.0/24 192.52.193.0/24 192.88.99.0/24 192.168.0.0/16
192.175.48.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
::/128 ::1/128 ::/96 ::ffff:0:0/96 ::ffff:0:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64
100:0:0:1::/64 2001::/32 2001:1::1/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28
2001:20::/28 2001:30::/28 2001::/23 2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16
fc00::/7 fe80::/10 fec0::/10 ff00::/8
"""
REFUSED_TEXT = """
127.0.0.1 127.1.2.3 0.0.0.0 10.1.2.3 172.31.255.255 192.168.1.1 169.254.169.254 100.100.100.200
192.0.0.192 255.255.255.255 224.0.0.1 240.0.0.1 168.63.129.16 ::1 :: ::127.0.0.1 ::ffff:127.0.0.1
::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1 2002:7f00:1::1
2002:808:808::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 fe80::1 fe80::1%eth0 2606:4700::1111%eth0
fd00:ec2::254 fc00::1 fec0::1 ff02::1 2001:db8::1 3fff::1 5f00::1 100::1 4000::1 1fff::1
"""
PUBLIC_TEXT = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0
168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0
192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 203.0.114.0 223.255.255.255
2606:4700:4700::1111 2001:200:: 2a00:1450:4001:81b::200e 2003:: 2000::1 3ffe:ffff::1
"""
SPECIAL, REFUSED, PUBLIC = SPECIAL_TEXT.split(), REFUSED_TEXT.split(), PUBLIC_TEXT.split()


@pytest.mark.parametrize("text", SPECIAL)
def test_a_special_block_is_refused_from_its_first_to_its_last_address(text: str) -> None:
    # And just outside it, only what another special block claims is refused.
    network = ip_network(text)
    first, last = int(network[0]), int(network[-1])
    make = type(network[0])
    assert not is_public(network[0])
    assert not is_public(network[-1])
    outside = [make(at) for at in (first - 1, last + 1) if 0 <= at < 2**network.max_prefixlen]
    for address in outside:
        assert is_public(address) is not _is_claimed(address)


def _is_claimed(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in IPv6Network("2000::/3"):
        return True
    return any(address in network for network in map(ip_network, SPECIAL))


def test_the_table_has_its_sixty_rows() -> None:
    # Fewer would mean that a row was lost.
    assert len(set(REFUSED)) + len(set(PUBLIC)) >= 60


@pytest.mark.parametrize("text", REFUSED)
def test_no_address_inside_is_dialed(text: str) -> None:
    # Neither as itself nor wrapped in another.
    assert not is_public(text)
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_the_internet_can_be_reached(text: str) -> None:
    # The neighbours of every block, and well-known servers.
    assert is_public(text)


@pytest.mark.parametrize(
    "text", ["", "localhost", "1", "127.1", "0x7f.0.0.1", "010.0.0.1", "1.1.1.1 "]
)
def test_what_is_no_plain_address_is_not_public(text: str) -> None:
    # Spellings on which parsers disagree are never let through.
    assert not is_public(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com",
        "https://example.com/hooks?a=b&c=%20",
        "https://EXAMPLE.com:443/",
        "https://example.com:8443/hook",
        "https://xn--bcher-kva.example/hook",
        "https://1.1.1.1/hook",
        "https://[2606:4700:4700::1111]:65535/hook",
        "https://my_tunnel.example.com/",
        "https://127.0.0.1.nip.io/hook",
    ],
)
def test_a_public_https_url_is_kept_as_written(text: str) -> None:
    # In development as in production.
    assert endpoint_url(text, is_development=False) == text
    assert endpoint_url(text, is_development=True) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.com",
        "ftp://example.com",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https:example.com",
        "https:///hook",
        "https://",
        "https://user@example.com",
        "https://user:pass@example.com/",
        "https://example.com@10.0.0.1/",
        "https://example.com#part",
        "https://example.com/#",
        "https://example.com:",
        "https://example.com:0",
        "https://example.com:22",
        "https://example.com:1023",
        "https://example.com:65536",
        "https://example.com:5432",
        "https://example.com:6379",
        "https://example.com:27017",
        "https://example.com:-1",
        "https://example.com:4x",
        "https://exa mple.com",
        "https://example.com\n.evil.com",
        " https://example.com",
        "https://example.com\\@10.0.0.1",
        "https://bücher.example",
        "https://example.com/é",
        "https://\N{KELVIN SIGN}.example",
        "https://example。com",
        "https://exa%6dple.com",
        "https://example.com.",
        "https://-a.example",
        "https://a..example",
        "https://" + "a" * 64 + ".example",
        "https://" + "a." * 127 + "example",
        "https://10.0.0.1",
        "https://169.254.169.254/latest",
        "https://127.1",
        "https://2130706433",
        "https://0x7f000001",
        "https://0x7f.0.0.1",
        "https://017700000001",
        "https://0177.0.0.1",
        "https://1.2.3.4.5",
        "https://[::ffff:127.0.0.1]",
        "https://[64:ff9b::7f00:1]",
        "https://[fe80::1%25eth0]/",
        "https://[fd00:ec2::254]",
        "https://[2606:4700:4700::1111].example.com",
        "https://[1.1.1.1]",
        "https://[",
        "https://a[b]",
        "https://example.com/" + "a" * URL_LENGTH_MAX,
    ],
)
def test_a_hostile_url_is_refused_everywhere(text: str) -> None:
    # With one plain sentence that does not repeat the URL, also in development.
    for is_development in (False, True):
        with pytest.raises(EndpointUrlRefused) as caught:
            endpoint_url(text, is_development=is_development)
        assert 10 < len(str(caught.value)) < 120


@pytest.mark.parametrize(
    "text",
    [
        "http://localhost:4000/hook",
        "http://127.0.0.1:4000/hook",
        "http://[::1]:4000/hook",
        "https://app.localhost:4000/hook",
        "http://example.com/hook",
        "http://127.0.0.1/",
    ],
)
def test_only_development_reaches_this_machine_and_plain_http(text: str) -> None:
    # Production refuses the same URL.
    assert endpoint_url(text, is_development=True) == text
    with pytest.raises(EndpointUrlRefused):
        endpoint_url(text, is_development=False)


@given(st.text(max_size=60))
def test_any_text_is_a_url_or_a_refusal(tail: str) -> None:
    # Never another exception, whatever the parser thinks of it.
    for text in (tail, f"https://{tail}", f"https://[{tail}]/", f"https://a:{tail}"):
        try:
            assert endpoint_url(text, is_development=False) == text
        except EndpointUrlRefused:
            continue


def test_the_schedule_is_a_minute_to_half_a_day_and_then_over() -> None:
    # Six attempts: the first at once, five more.
    waits = [next_attempt(count, AT, jitter_permille=0) for count in range(1, ATTEMPTS_MAX + 2)]
    minutes = [wait and (wait - AT) // timedelta(minutes=1) for wait in waits]
    assert minutes == [1, 5, 30, 120, 720, None, None]


def test_an_endpoint_has_the_retries_it_asked_for() -> None:
    # As many attempts as it has delays and one more, each after its own.
    for delays in (FAST_DELAYS_SECONDS, (7,), (1, 86_400, 3)):
        counts = range(1, len(delays) + 2)
        waits = [next_attempt(n, AT, jitter_permille=0, delays_seconds=delays) for n in counts]
        assert [wait and (wait - AT).total_seconds() for wait in waits] == [*delays, None]


@given(st.integers(1, 5), st.integers(-100, 100))
def test_jitter_stays_within_a_tenth(count: int, permille: int) -> None:
    # Linear in the permille, so the spread is the caller's chance and nothing else.
    plain, moved = (
        next_attempt(count, AT, jitter_permille=0),
        next_attempt(count, AT, jitter_permille=permille),
    )
    assert plain is not None
    assert moved is not None
    assert (moved - plain) * 1000 == (plain - AT) * permille


@given(st.integers(1, 5), st.one_of(st.none(), st.integers(-(10**300), 10**300)))
def test_an_endpoint_may_ask_for_more_time_up_to_half_a_day(count: int, asked: int | None) -> None:
    # Never for less than the schedule, and nonsense changes nothing.
    plain, later = (
        next_attempt(count, AT, jitter_permille=0),
        next_attempt(count, AT, jitter_permille=0, retry_after_seconds=asked),
    )
    assert plain is not None
    assert later == max(plain, AT + timedelta(seconds=min(max(asked or 0, 0), HALF_DAY)))
    assert next_attempt(ATTEMPTS_MAX, AT, jitter_permille=0, retry_after_seconds=asked) is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("1" + "0" * 300, HALF_DAY),
        ("Sun, 01 Mar 2026 12:10:00 GMT", 600),
        ("Thu, 31 Dec 2099 23:59:59 GMT", HALF_DAY),
        ("Sun, 01 Mar 2026 11:00:00 GMT", None),
        ("-5", None),
        ("1.5", None),
        ("１２", None),
        ("1" * 5000, None),
        ("soon", None),
        ("", None),
        ("Sun, 99 Mar 2026 12:10:00 GMT", None),
        ("Sun, 01 Mar 99999 12:10:00 GMT", None),
        ("Sun, 01 Mar 2026 12:10:00", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str, seconds: int | None) -> None:
    # Clamped to half a day; the past, negatives and nonsense count as absent.
    assert retry_after_seconds(header, AT) == seconds


@given(st.text(max_size=40))
def test_any_retry_after_is_survived(header: str) -> None:
    # The endpoint is a stranger.
    seconds = retry_after_seconds(header, AT)
    assert seconds is None or 0 <= seconds <= HALF_DAY


def test_what_each_status_means() -> None:
    # Any 2xx is success, 410 means stop for good, all else is tried again, redirects too.
    verdicts = {status: verdict_of(status) for status in range(100, 600)}
    assert {s for s, v in verdicts.items() if v is DeliveryVerdict.DELIVERED} == set(
        range(200, 300)
    )
    assert {s for s, v in verdicts.items() if v is DeliveryVerdict.SWITCH_OFF} == {410}


def test_the_signed_bytes_are_the_bytes_sent() -> None:
    # The body is not decoded on the way: also bytes that are no text.
    assert signed_content("evt_1", 1_700_000_000, b"\xff{}") == b"evt_1.1700000000.\xff{}"


def test_an_answer_is_kept_to_a_thousand_characters() -> None:
    # And without NUL, which PostgreSQL cannot store.
    assert response_excerpt("a\x00" + "b" * 2000) == "a\ufffd" + "b" * 998
