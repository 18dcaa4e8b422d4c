"""Logs: the line's shape, no secret in it by name or by value, and a reader that goes away."""

import io
import json
import logging
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bursar.runtime import logging as logs
from bursar.runtime.redaction import hides_nothing, is_secret_name, redacted, redacted_text
from bursar.runtime.secret import Secret

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, hook, raising = logging.getLogger(), sys.excepthook, logging.raiseExceptions
    handlers, level, config = root.handlers[:], root.level, structlog.get_config()
    memory = io.StringIO()
    logs.configure(level="debug", stream=memory)
    yield memory
    structlog.configure(**config)
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    sys.excepthook, logging.raiseExceptions = hook, raising


def fail(text: str) -> None:
    raise RuntimeError(text)


def lines_of(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_time_level_and_event_first(stream: io.StringIO) -> None:
    # Whoever collects the logs finds the same three keys in front of every line.
    logs.get_log().info("payment.settled", payment_id="pay_1", outcome="succeeded", tries=2)
    (line,) = lines_of(stream)
    assert list(line)[:3] == ["timestamp", "level", "event"]
    assert line["timestamp"].endswith("Z")
    assert (line["level"], line["event"], line["tries"]) == ("info", "payment.settled", 2)


def test_hostile_text_stays_inside_its_line(stream: io.StringIO) -> None:
    # A name with line breaks or terminal controls must not forge a line or color a terminal.
    logs.get_log().info("customer.created", name='x"\n{"event":"forged"}\r\u2028\x1b[31m\ud800')
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().isascii()
    assert "\x1b" not in stream.getvalue()
    assert len(lines_of(stream)) == 1


CANARIES = [
    ("bsk_4fJ9canaryQ2z8Y7w6V5u4T3s2R1q0P9o8", "canary"),
    ("bsi_4fJ9canaryQ2z8Y7w6V5u4T3s2R1q0P9o8", "canary"),
    ("bsm_4fJ9canaryQ2z8Y7w6V5u4T3s2R1q0P9o8", "canary"),
    ("bsr_4fJ9canaryQ2z8Y7w6V5u4T3s2R1q0P9o8", "canary"),
    ("whsec_MfKQ9r8canaryUbWmnOpQr", "canary"),
    ("sk_test_51canary", "canary"),
    ("sk_live_51canary", "canary"),
    ("rk_live_51canary", "canary"),
    ("pi_3Nx_secret_canary", "canary"),
    (JWT, "c2lnbmF0"),
    ("Authorization: Bearer opaque-canary-credential", "canary"),
    ("postgresql://bursar_app:canary@db/bursar", "canary"),
    ("redis://:canary@cache:6379", "canary"),
    ("4242424242424242", "4242424242424242"),
    ("card 4242 4242 4242 4242 declined", "4242 4242"),
    ("5555-5555-5555-4444", "5555-5555"),
    ("378282246310005", "378282246310005"),
]


@pytest.mark.parametrize(("value", "canary"), CANARIES)
def test_a_value_shaped_like_a_secret_is_masked_everywhere(
    stream: io.StringIO, value: str, canary: str
) -> None:
    # By the value alone: in a field, deep inside, in a name, in a text, in an exception.
    log = logs.get_log()
    log.info("test.planted", note=value, deep={"a": [{"b": (f"x {value} y",)}], value: 1})
    log.info(value)
    logging.getLogger("some.library").warning("request with %s failed", value)
    try:
        fail(f"refused {value}")
    except RuntimeError:
        log.exception("test.raised")
    assert stream.getvalue().count("***") >= 5
    assert canary not in stream.getvalue()
    assert len(lines_of(stream)) == 4


@pytest.mark.parametrize(
    "name",
    [
        *("authorization", "Authorization", "password", "newPassword", "client_secret"),
        *("token", "refreshToken", "apiKey", "api_key", "stripeSecretKey", "keyHash"),
        *("cookie", "Set-Cookie", "X-Api-Key", "private_key", "card_number", "cvc", "pan", "salt"),
    ],
)
def test_a_field_named_like_a_secret_is_masked_at_any_depth(stream: io.StringIO, name: str) -> None:
    # By the name alone, whatever the value looks like and however deep it lies.
    logs.get_log().info("test.planted", deep=[{"x": {name: "canary", "y": {name: ["canary"]}}}])
    (line,) = lines_of(stream)
    assert line["deep"] == [{"x": {name: "***", "y": {name: "***"}}}]


@pytest.mark.parametrize(
    "name", ["event", "key_prefix", "invoice_id", "author", "idempotency_key", "monkey", "span"]
)
def test_ordinary_names_are_not_masked(name: str) -> None:
    # A log in which everything is masked helps nobody.
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "inv_01890a5d-ac96-774b-bcce-b302099a8057",
        "1234567812345678",
        "re_3NxRefundReference",
        "2026-11-21T01:51:55.559Z",
        "basic plan, bearer of news",
    ],
)
def test_ordinary_values_are_not_masked(text: str) -> None:
    # Ids, times and numbers that fail Luhn's check stay readable.
    assert redacted_text(text) == text


DIGITS = "01890123-4567-7890-8123-456789012345"


@given(st.lists(st.sampled_from([DIGITS, *"-. x1_", "4242", "4242424242424242"])).map("".join))
def test_the_quick_look_passes_nothing_over(text: str) -> None:
    # The end has a mark that makes redaction look closely, and is no secret itself.
    assert redacted_text(f"{text} sk_") == f"{redacted_text(text)} sk_"


def test_an_id_is_no_reason_to_look_closely() -> None:
    # Even with many digits in a row; a card number beside it is one.
    assert hides_nothing(f'{{"org_id":"org_{DIGITS}","request_id":"{DIGITS}"}}')
    assert not hides_nothing(f'{{"org_id":"org_{DIGITS}","note":"4242424242424242"}}')


def test_whatever_is_logged_comes_out_plain() -> None:
    # No object's own printing decides what is written, and nothing breaks the writer.
    class Hostile:
        def __str__(self) -> str:
            raise ValueError

    circle: list[object] = []
    circle.append(circle)
    shown = redacted(
        {
            "secretly": Secret("canary"),
            "object": Secret("canary"),
            "hostile": Hostile(),
            "bytes": b"canary",
            "nan": float("nan"),
            "card": 4242424242424242,
            "amount": 199_900,
            "circle": circle,
            "long": "x" * 1_000_000,
            "many": range(3),
            "set": {1},
        }
    )
    text = json.dumps(shown, allow_nan=False)
    assert "canary" not in text
    assert "4242" not in text
    assert len(text) < 50_000
    assert isinstance(shown, dict)
    assert (shown["amount"], shown["object"], shown["hostile"]) == (199_900, "***", "<Hostile>")


def test_context_is_on_every_line_of_its_block(stream: io.StringIO) -> None:
    # Lines of one request are found by its id, those of libraries too; none leaks out.
    with logs.bound(request_id="req_1", org_id="org_1"):
        logs.get_log().info("invoice.finalized")
        logging.getLogger("some.library").warning("slow")
    logs.get_log().info("worker.idle")
    first, second, third = lines_of(stream)
    assert first["request_id"] == second["request_id"] == "req_1"
    assert "request_id" not in third


def test_standard_loggers_end_in_the_same_lines(stream: io.StringIO) -> None:
    # One format for one collector; a library's own handlers and access lines are out.
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler(sys.stderr))
    logs.configure(level="info", stream=stream)
    logging.getLogger("uvicorn.error").info("Started server process [%d]", 7)
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("alembic.runtime").info("Will assume transactional DDL.")
    misfit_arguments = (1, 2)
    logging.getLogger("a.library").error("does not %s fit", *misfit_arguments)
    started, misfit = lines_of(stream)
    assert (started["event"], started["message"]) == ("uvicorn.error", "Started server process [7]")
    assert (misfit["level"], misfit["message"]) == ("error", "does not %s fit")


def test_less_severe_lines_are_not_written(stream: io.StringIO) -> None:
    # LOG_LEVEL holds for our lines and for those of libraries.
    logs.configure(level="warning", stream=stream)
    logs.get_log().info("worker.idle")
    logging.getLogger("a.library").info("chatter")
    logs.get_log().warning("worker.slow")
    assert [line["event"] for line in lines_of(stream)] == ["worker.slow"]


def test_a_crash_is_a_line_too(stream: io.StringIO) -> None:
    # The last words of a program pass the same redaction.
    try:
        fail("no login as bursar_app with postgresql://u:canary@db/x")
    except RuntimeError as crash:
        sys.excepthook(type(crash), crash, crash.__traceback__)
    (line,) = lines_of(stream)
    assert (line["event"], line["level"]) == ("program.crashed", "critical")
    assert "RuntimeError" in line["exception"]
    assert "canary" not in stream.getvalue()


def test_columns_on_a_terminal_in_development(stream: io.StringIO) -> None:
    # A person at a terminal reads columns; a pipe gets JSON even in development.
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    logs.configure(level="info", is_development=True, stream=terminal)
    logs.get_log().info("payment.settled", api_key="canary")
    assert "payment.settled" in terminal.getvalue()
    assert not terminal.getvalue().lstrip().startswith("{")
    assert "canary" not in terminal.getvalue()
    logs.configure(level="info", is_development=True, stream=stream)
    logs.get_log().info("payment.settled")
    assert lines_of(stream)[0]["event"] == "payment.settled"


def test_a_reader_that_went_away_does_not_stop_the_work() -> None:
    # `bursar serve | head`: the pipe breaks, the server goes on and ends with its own code.
    script = """
        import sys
        from bursar.runtime import logging as logs
        logs.configure(stream=sys.stderr)
        for number in range(1000):
            logs.get_log().info("worker.idle", number=number, filling="x" * 500)
        sys.exit(7)
    """
    reading, writing = os.pipe()
    os.close(reading)
    program = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], stderr=writing, timeout=30, check=False
    )
    os.close(writing)
    assert program.returncode == 7
