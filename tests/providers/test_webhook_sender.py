"""The sender against endpoints that want harm: bounded answers, and never a way inside."""

import asyncio
import resource
import socket
import ssl
import time
from functools import cache
from typing import Any

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.providers.certificates import Authority
from tests.providers.hostile_server import (
    BOMB,
    END,
    Mood,
    answering,
    cut_body,
    drip,
    dripping_head,
    endpoint,
    flood,
    flooding_head,
    reset,
    saying,
    silence,
)

from bursar.domain.sending import SendFailure, WebhookAnswer, WebhookRequest
from bursar.domain.webhooks import DeliveryVerdict
from bursar.providers.webhook_sender import Egress, HttpWebhookSender

PATIENCE = 0.6
HEADERS = {"webhook-id": "evt_1", "webhook-signature": "v1,abc"}
BODY = b'{"id":"evt_1"}'
# A record of TLS: fatal, the version of the protocol is not spoken here (RFC 8446, section 6).
PROTOCOL_ALERT = bytes.fromhex("15 0303 0002 02 46")
NOON = b"Date: Mon, 01 Jun 2026 12:00:00 GMT\r\n"


class Names(AbstractResolver):
    """A resolver that gives what it is told, one answer after the other."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        assert family in (socket.AF_INET, socket.AF_UNSPEC)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in addresses
        ]

    async def close(self) -> None:
        return None


@cache
def usual_trust() -> ssl.SSLContext:
    """The machine's own authorities: to read them all takes longer than any of these talks."""
    return ssl.create_default_context()


async def sent(url: str, egress: Egress | None = None, **parts: Any) -> WebhookAnswer:
    told = {"tls": usual_trust()} | parts
    sender = HttpWebhookSender(egress or Egress(PATIENCE, is_development=True), **told)
    try:
        return await sender.send(WebhookRequest(url, HEADERS, BODY))
    finally:
        await sender.aclose()


async def to(mood: Mood) -> WebhookAnswer:
    async with endpoint(mood) as server:
        return await sent(server.url)


async def test_the_bytes_and_headers_arrive_as_given() -> None:
    # One POST with exactly this body, the signatures, no cookie, and no wish to keep the line.
    async with endpoint(answering(body=b"thanks")) as server:
        answer = await sent(server.url)
    (request,) = server.requests
    head, _, body = request.partition(END)
    assert body == BODY
    assert head.startswith(b"POST /hook HTTP/1.1\r\n")
    lines = {line.lower() for line in head.split(b"\r\n")}
    assert b"webhook-signature: v1,abc" in lines
    assert b"connection: close" in lines
    assert b"accept-encoding: identity" in lines
    assert (answer.status, answer.excerpt, answer.failure) == (200, "thanks", None)
    assert answer.verdict is DeliveryVerdict.DELIVERED


async def test_the_url_is_sent_letter_for_letter() -> None:
    # What the customer registered is what is asked for: nothing is decoded or put in order.
    async with endpoint(answering()) as server:
        await sent(f"http://127.0.0.1:{server.port}/a%2Fb/../c?x=%41&y=1+2")
    assert server.requests[0].startswith(b"POST /a%2Fb/../c?x=%41&y=1+2 HTTP/1.1\r\n")


@pytest.mark.parametrize("status", [200, 201, 204, 299])
async def test_any_2xx_is_success(status: int) -> None:
    # The body does not matter.
    answer = await to(answering(f"{status} Fine", body=b"" if status == 204 else b"x"))
    assert answer.verdict is DeliveryVerdict.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(status: int) -> None:
    # The other place hears nothing, and it is a failure whose target is not kept.
    async with endpoint(answering()) as other:
        where = f"Location: {other.url}\r\n".encode()
        answer = await to(answering(f"{status} Moved", where, body=b""))
    assert answer.status == status
    assert answer.verdict is DeliveryVerdict.RETRY
    assert other.connections == 0
    assert str(other.port) not in answer.excerpt


@pytest.mark.parametrize(
    ("status", "verdict"), [(410, "switch_off"), (404, "retry"), (500, "retry")]
)
async def test_other_statuses_mean_what_the_rules_say(status: int, verdict: str) -> None:
    # Gone is gone, the rest is tried again.
    assert (await to(answering(f"{status} No"))).verdict == verdict


@pytest.mark.parametrize("mood", [silence, drip, dripping_head])
async def test_slow_endpoints_are_cut_at_the_deadline(mood: Any) -> None:
    # From connect to the last byte, however the time is wasted.
    began = time.monotonic()
    answer = await to(mood)
    assert answer.failure is SendFailure.TIMEOUT
    assert answer.verdict is DeliveryVerdict.RETRY
    assert PATIENCE <= time.monotonic() - began < PATIENCE + 10
    assert answer.duration_ms >= PATIENCE * 1000


async def test_an_endless_body_is_cut_and_counts_by_its_status() -> None:
    # 16 kB are read of a gigabyte; memory stays flat.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20):
        answer = await to(flood)
        assert answer.verdict is DeliveryVerdict.DELIVERED
        assert answer.excerpt == "x" * 1_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@pytest.mark.parametrize(
    "mood",
    [
        flooding_head,
        answering(headers=b"".join(b"X-%d: y\r\n" % n for n in range(1_000))),
        answering(headers=b"X-Long: " + b"y" * 9_000 + b"\r\n"),
        answering(headers=b"".join(b"X-%d: " % n + b"y" * 5_000 + b"\r\n" for n in range(8))),
    ],
)
async def test_headers_without_measure_are_refused(mood: Any) -> None:
    # Ten megabytes, a thousand lines, one long line, or forty kilobytes in all.
    assert (await to(mood)).failure is SendFailure.MALFORMED_ANSWER


async def test_a_compressed_body_is_not_opened() -> None:
    # Twenty megabytes of zeros stay the few bytes they are on the wire.
    mood = answering(headers=b"Content-Encoding: gzip\r\n", body=BOMB)
    answer = await to(mood)
    assert answer.status == 200
    assert answer.excerpt.startswith("base64:H4sI")
    assert len(answer.excerpt) <= 1_000


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"", ""),
        ("né".encode(), "né"),
        (b"a\x00b", "a\ufffdb"),
        (("€" * 2_000).encode(), "€" * 1_000),
        (b"\xff\xfe\x00", "base64://4A"),
        (b"ok\xe2\x82", "ok"),
    ],
)
async def test_the_excerpt_is_text_of_bounded_length(body: bytes, excerpt: str) -> None:
    # Text stays text, a character cut at the end is dropped, bytes become base64.
    assert (await to(answering(body=body))).excerpt == excerpt


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        (reset, SendFailure.CONNECTION_LOST),
        (cut_body, SendFailure.CONNECTION_LOST),
        (saying(b""), SendFailure.CONNECTION_LOST),
        (saying(b"SSH-2.0-OpenSSH_9.6\r\n"), SendFailure.MALFORMED_ANSWER),
        (saying(b"HTTP/1.1 2OO OK\r\n\r\n"), SendFailure.MALFORMED_ANSWER),
        (saying(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), SendFailure.MALFORMED_ANSWER),
        (
            saying(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
            SendFailure.MALFORMED_ANSWER,
        ),
        (
            saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
            SendFailure.MALFORMED_ANSWER,
        ),
    ],
)
async def test_broken_answers_have_a_reason_from_the_list(
    mood: Any, failure: SendFailure | None
) -> None:
    # Nothing an endpoint sends, or does not send, raises.
    assert (await to(mood)).failure is failure


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (b"Retry-After: 120\r\n", 120),
        (b"Retry-After: " + b"9" * 300 + b"\r\n", 43_200),
        (b"Retry-After: -5\r\n", None),
        (b"Retry-After: soon\r\n", None),
        (
            NOON + b"Retry-After: Mon, 01 Jun 2026 12:05:00 GMT\r\n",
            300,
        ),
        (
            NOON + b"Retry-After: Mon, 01 Jun 2099 12:05:00 GMT\r\n",
            43_200,
        ),
        (b"Retry-After: Mon, 01 Jun 2026 12:05:00 GMT\r\n", None),
        (b"Date: yesterday\r\nRetry-After: Mon, 01 Jun 2026 12:05:00 GMT\r\n", None),
        (b"", None),
    ],
)
async def test_a_wish_for_a_pause_is_read_within_bounds(
    headers: bytes, seconds: int | None
) -> None:
    # Seconds or a date by the endpoint's own clock, at most twelve hours.
    answer = await to(answering("429 Too Many Requests", headers))
    assert (answer.status, answer.retry_after_seconds) == (429, seconds)


async def test_nobody_listens() -> None:
    # A closed port, told as such.
    async with endpoint(answering()) as server:
        pass
    assert (await sent(server.url)).failure is SendFailure.CONNECTION_FAILED


FORBIDDEN = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "198.18.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "2001::1",
    "fe80::1",
    "fc00::1",
    "ff02::1",
    "fec0::1",
    "2001:db8::1",
]


@pytest.fixture
def dialed(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every address the event loop is asked to dial, and nothing is dialed."""
    seen: list[object] = []

    async def refuse(_loop: object, _sock: object, address: object) -> None:
        seen.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_connect", refuse)
    return seen


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_name_that_leads_inside_is_never_dialed(address: str, dialed: list[object]) -> None:
    # Not one packet leaves for an address that is not on the public internet.
    answer = await sent("https://hook.example/x", Egress(), resolver=Names([address]))
    assert answer.failure is SendFailure.FORBIDDEN_ADDRESS
    assert dialed == []


@pytest.mark.parametrize("address", FORBIDDEN)
async def test_a_literal_that_leads_inside_is_never_dialed(
    address: str, dialed: list[object]
) -> None:
    # Written into the URL itself, in brackets or not, with TLS or without.
    host = f"[{address}]" if ":" in address else address
    for url in (f"https://{host}/x", f"https://{host}:8443/x", f"http://{host}:8080/"):
        answer = await sent(url, Egress())
        assert answer.failure is SendFailure.REFUSED_URL
    assert dialed == []


async def test_the_socket_itself_refuses_what_the_resolver_let_pass(dialed: list[object]) -> None:
    # The last judgment is on the address about to be dialed, whoever named it.
    sender = HttpWebhookSender(Egress())
    for address in FORBIDDEN:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with pytest.raises(OSError, match="public internet"):
            sender._socket((family, socket.SOCK_STREAM, 6, "", (address, 443)))
    assert dialed == []


async def test_one_private_address_among_public_ones_refuses_the_name(dialed: list[object]) -> None:
    # A whole answer is judged: the good address is no bait for the bad one.
    names = Names(["93.184.215.14"] * 9 + ["10.0.0.1"])
    answer = await sent("https://hook.example/", Egress(), resolver=names)
    assert answer.failure is SendFailure.FORBIDDEN_ADDRESS
    assert dialed == []


async def test_a_name_that_changes_its_mind_is_judged_every_time(dialed: list[object]) -> None:
    # Public at first, private a moment later: there is no cache to poison.
    names = Names(["93.184.215.14"], ["127.0.0.1"])
    sender = HttpWebhookSender(Egress(), names)
    request = WebhookRequest("https://hook.example/", HEADERS, BODY)
    failures = [(await sender.send(request)).failure for _ in range(2)]
    await sender.aclose()
    assert failures == [SendFailure.CONNECTION_FAILED, SendFailure.FORBIDDEN_ADDRESS]
    assert dialed == [("93.184.215.14", 443)]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hook.example",
        "http://hook.example/",
        "ftp://hook.example/",
        "file:///etc/passwd",
        "gopher://hook.example/",
        "https://",
        "https:///x",
        "https://user:pass@hook.example/",
        "https://hook.example@127.0.0.1/",
        "https://hook.example/#fragment",
        "https://hook.example:22/",
        "https://hook.example:5432/",
        "https://hook.example:6379/",
        "https://hook.example:99999/",
        "https://127.1/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://017700000001/",
        "https://[::1]/",
        "https://[fe80::1%25eth0]/",
        "https://localhost/",
        "https://x.localhost/",
        "https://ho\u2024st.example/",
        "https://hook.example\\@127.0.0.1/",
        "https://hook.example/\r\nX-Injected: 1",
        "https://hook .example/",
        "https://hook.example/" + "x" * 2_048,
    ],
)
async def test_urls_we_do_not_send_to(url: str, dialed: list[object]) -> None:
    # Whatever a row in the database holds, only a plain public https URL is dialed.
    answer = await sent(url, Egress(), resolver=Names(["93.184.215.14"]))
    assert answer.failure is SendFailure.REFUSED_URL
    assert dialed == []


async def test_a_sender_never_sends_to_this_installation() -> None:
    # Our own address would let a customer speak to us with our own voice.
    async with endpoint(answering()) as server:
        own = Egress(PATIENCE, is_development=True, own_urls=(f"http://127.0.0.1:{server.port}",))
        assert (await sent(server.url, own)).failure is SendFailure.REFUSED_URL
    assert server.connections == 0


async def test_a_proxy_in_the_environment_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    # A variable of the shell must not see customers' webhooks.
    async with endpoint(answering()) as proxy, endpoint(answering()) as server:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        assert (await sent(server.url)).status == 200
    assert (proxy.connections, server.connections) == (0, 1)


async def test_cookies_are_not_kept() -> None:
    # Two deliveries share nothing.
    async with endpoint(answering(headers=b"Set-Cookie: a=b\r\n")) as server:
        sender = HttpWebhookSender(Egress(PATIENCE, is_development=True))
        for _ in range(2):
            await sender.send(WebhookRequest(server.url, HEADERS, BODY))
        await sender.aclose()
    assert server.connections == 2
    assert not any(b"cookie" in request.lower() for request in server.requests)


@pytest.mark.parametrize("hostile", ["a\r\nX-Injected: 1", "a\nb", "a\x00b"])
async def test_a_header_cannot_carry_another(hostile: str) -> None:
    # A line break in a value is refused before anything is sent.
    async with endpoint(answering()) as server:
        sender = HttpWebhookSender(Egress(PATIENCE, is_development=True))
        answer = await sender.send(WebhookRequest(server.url, {"X-A": hostile}, BODY))
        await sender.aclose()
    assert answer.failure is not None
    assert server.requests == []


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def told_by_tls(port: int, authority: Authority) -> WebhookAnswer:
    """Send there by TLS, where only this authority is trusted."""
    trust = ssl.create_default_context(cadata=authority.trust)
    egress = Egress(5, is_development=True)
    url = f"https://hook.example:{port}/"
    return await sent(url, egress, resolver=Names(["127.0.0.1"]), tls=trust)


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        ("good", None),
        ("expired", SendFailure.TLS_FAILED),
        ("self_signed", SendFailure.TLS_FAILED),
        ("wrong_host", SendFailure.TLS_FAILED),
        ("plain", SendFailure.TLS_FAILED),
    ],
)
async def test_only_a_valid_certificate_is_spoken_to(
    mood: Any, failure: SendFailure | None, authority: Authority
) -> None:
    # Expired, self-signed, somebody else's, or none at all: a plain reason.
    server_tls = None if mood == "plain" else authority.server(mood)
    async with endpoint(answering(), server_tls, is_rash=mood == "plain") as server:
        answer = await told_by_tls(server.port, authority)
    assert answer.failure is failure
    assert (answer.status == 200) is (failure is None)


@pytest.mark.filterwarnings("ignore:ssl.OP_NO_:DeprecationWarning")
async def test_no_old_protocol_is_spoken(authority: Authority) -> None:
    # A server that knows TLS 1.1 at most is told nothing; some say why they hang up, some do not.
    async with endpoint(answering(), authority.server("tls_1_1")) as server:
        answer = await told_by_tls(server.port, authority)
    assert answer.failure in {SendFailure.TLS_FAILED, SendFailure.CONNECTION_FAILED}
    assert server.requests == []


@pytest.mark.parametrize(
    ("mood", "failure"),
    [
        (saying(PROTOCOL_ALERT), SendFailure.TLS_FAILED),
        (reset, SendFailure.CONNECTION_FAILED),
    ],
)
async def test_a_handshake_that_ends_has_a_reason(
    mood: Mood, failure: SendFailure, authority: Authority
) -> None:
    # Who says what is wrong is told apart from who hangs up on our first word.
    async with endpoint(mood, is_rash=True) as server:
        answer = await told_by_tls(server.port, authority)
    assert answer.failure is failure
