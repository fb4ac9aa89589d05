from __future__ import annotations

import io
import json
import logging
import math
import sys
import warnings
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.logs import Layout, configure
from monitor.logs.lines import LONGEST, Redaction, neutralise
from monitor.model import CheckId, Severity, State
from monitor.secrets import MASK, Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

PASSWORD = 'p4ss"w0rd/of the\\database'
REDACT = Redactor([Secret(PASSWORD)])


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("monitor")
    before = (root.handlers[:], root.level, ours.level, logging.Logger.manager.disable)
    yield
    root.handlers[:], root.level, ours.level, logging.Logger.manager.disable = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """Return the JSON lines written."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def as_json(level: str = "debug") -> io.StringIO:
    """Configure JSON lines and return where they go."""
    stream = io.StringIO()
    configure(level, Layout.JSON, REDACT, stream=stream)
    return stream


def as_console(stream: io.StringIO) -> io.StringIO:
    """Configure lines for people and return where they go."""
    configure("debug", Layout.CONSOLE, REDACT, stream=stream)
    return stream


def test_both_kinds_of_logging_look_the_same() -> None:
    """A line of structlog and one of the standard library have the same keys, in one stream."""
    stream = as_json()
    structlog.get_logger("monitor.probes").warning("slow", check="shop/site", seconds=1.5)
    logging.getLogger("asyncio").warning("took %s seconds", 1.5)
    ours, theirs = lines(stream)
    assert ours | {"timestamp": ""} == {
        "event": "slow",
        "check": "shop/site",
        "seconds": 1.5,
        "logger": "monitor.probes",
        "level": "warning",
        "timestamp": "",
    }
    assert theirs | {"timestamp": ""} == {
        "event": "took 1.5 seconds",
        "logger": "asyncio",
        "level": "warning",
        "timestamp": "",
    }
    assert datetime.fromisoformat(ours["timestamp"]).tzinfo == UTC


def test_the_level_is_ours_alone() -> None:
    """Debug lines of other libraries repeat what they send, so they stay out whatever the level."""
    stream = as_json("debug")
    structlog.get_logger("monitor.x").debug("ours")
    logging.getLogger("other").info("theirs")
    assert [line["event"] for line in lines(stream)] == ["ours"]
    stream = as_json("error")
    structlog.get_logger("monitor.x").warning("ours")
    logging.getLogger("other").warning("theirs")
    assert lines(stream) == []


def test_an_unknown_level_is_an_error() -> None:
    """The text says what is allowed."""
    with pytest.raises(ValueError, match="'loud' is not a log level: debug, info"):
        configure("loud", None, REDACT)


@pytest.mark.parametrize(("stream", "console"), [(Terminal(), True), (io.StringIO(), False)])
def test_the_layout_follows_the_stream(stream: io.StringIO, *, console: bool) -> None:
    """For people on a terminal, else JSON; no colours but on a terminal."""
    configure("info", None, REDACT, stream=stream)
    structlog.get_logger("monitor.x").info("started")
    assert stream.getvalue().startswith("{") is not console
    assert ("\x1b" in stream.getvalue()) is console


def test_lines_go_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """What a command prints is not mixed with what it logs."""
    configure("info", Layout.JSON, REDACT, stream=None)
    structlog.get_logger("monitor.x").info("started")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "started" in captured.err


def test_warnings_are_lines_too() -> None:
    """What Python would print on its own goes the same way."""
    stream = as_json()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f"careful with {PASSWORD}", UserWarning, stacklevel=1)
    (line,) = lines(stream)
    assert line["logger"] == "py.warnings"
    assert "p4ss" not in str(line)


def fail() -> None:
    """Raise errors that know the password, one from the other."""
    local = PASSWORD
    try:
        raise OSError(f"cannot log in with {local}")  # noqa: TRY301 - its frame is what is looked at
    except OSError as error:
        raise RuntimeError("no database") from error


@pytest.mark.parametrize("layout", list(Layout))
def test_exceptions_are_shown_without_secrets_and_variables(layout: Layout) -> None:
    """The traceback is there, with its cause; the password is not, neither in a text nor as a local variable."""
    stream = Terminal()
    configure("debug", layout, REDACT, stream=stream)
    try:
        fail()
    except RuntimeError as error:
        structlog.get_logger("monitor.x").exception("crashed")
        structlog.get_logger("monitor.x").error("crashed", exc_info=error)
        logging.getLogger("other").exception("crashed")
    text = stream.getvalue().replace(r"\u2022", "•")
    assert text.count("RuntimeError: no database") == 3
    assert text.count("in fail") == 6
    assert text.count(f"cannot log in with {MASK}") == 3
    assert "p4ss" not in text


class Awkward:
    """A value that cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError(PASSWORD)


@pytest.mark.parametrize(
    "value",
    [
        PASSWORD,
        {"deep": [{"er": (f"x{PASSWORD}y",)}]},
        {PASSWORD: 1},
        {PASSWORD},
        PASSWORD.encode(),
        OSError(PASSWORD),
        Secret(PASSWORD),
        "p4ss%22w0rd%2Fof%20the%5Cdatabase",
    ],
)
@pytest.mark.parametrize("layout", list(Layout))
def test_no_secret_gets_into_a_line(value: object, layout: Layout) -> None:
    """Wherever it hides: in a container, a key, bytes, an exception, or as a part of an address."""
    stream = io.StringIO()
    configure("debug", layout, REDACT, stream=stream)
    structlog.get_logger("monitor.x").info("event", value=value)
    logging.getLogger("other").error("value %s", value)
    structlog.contextvars.bind_contextvars(bound=value)
    structlog.get_logger("monitor.x").info("bound")
    structlog.contextvars.clear_contextvars()
    assert stream.getvalue().count("\n") == 3
    assert "w0rd" not in stream.getvalue()


def test_numbers_stay_numbers_and_the_rest_becomes_text() -> None:
    """JSON holds neither NaN, nor a moment, nor an enum's number instead of its word."""
    stream = as_json()
    structlog.get_logger("monitor.x").info(
        "values",
        whole=1,
        real=0.5,
        yes=True,
        none=None,
        nan=math.nan,
        state=State.UP,
        severity=Severity.CRITICAL,
        took=timedelta(seconds=1),
        check=CheckId("a", "b"),
        awkward=Awkward(),
    )
    (line,) = lines(stream)
    assert line["whole"] == 1
    assert line["real"] == 0.5
    assert line["yes"] is True
    assert line["none"] is None
    assert line["nan"] == "nan"
    assert line["state"] == "up"
    assert line["severity"] == "critical"
    assert line["took"] == "0:00:01"
    assert line["check"] == ["a", "b"]
    assert line["awkward"] == "<Awkward>"


def test_a_huge_value_is_cut() -> None:
    """Ten megabytes of an answer are no log line."""
    event = Redaction(REDACT)(None, "info", {"event": "x" * 10_000_000})
    assert len(event["event"]) == LONGEST


HOSTILE = "\x1b[2J\x07\r\nforged \u202egnirts\x9b31m\u2028\ud800\x00"


def test_nothing_moves_a_terminal() -> None:
    """Escapes, bells, line breaks and direction marks are shown, in keys, values and foreign lines alike."""
    stream = as_console(io.StringIO())
    structlog.get_logger("monitor.x").info("event", value=HOSTILE, **{HOSTILE: 1})
    logging.getLogger("other").error("%s", HOSTILE)
    text = stream.getvalue()
    assert text.count("\n") == 2
    assert not set(text) & set("\x1b\x07\r\u202e\x9b\u2028\ud800\x00")
    assert r"\x1b[2J" in text


def test_a_traceback_cannot_pose_as_a_log_line() -> None:
    """Each of its lines is indented, also those that an error's text adds."""
    stream = as_console(io.StringIO())
    try:
        raise ValueError("\n2026-11-21T00:00:00Z [info     ] all is well\x1b[0m")  # noqa: TRY301 - raised to be logged
    except ValueError:
        structlog.get_logger("monitor.x").exception("crashed")
    head, *rest = stream.getvalue().rstrip("\n").split("\n")
    assert "crashed" in head
    assert all(line.startswith("    ") for line in rest if line)
    assert "\x1b" not in stream.getvalue()


@given(st.dictionaries(st.text(max_size=5), st.text() | st.floats() | st.none() | st.booleans(), max_size=3))
@settings(max_examples=50)
def test_a_line_for_people_is_one_line_of_plain_text(values: dict[str, Any]) -> None:
    """Whatever the values, nothing is left that a terminal would obey."""
    for key, value in neutralise(None, "info", dict(values) | {"event": "x", "exception": ""}).items():
        shown = key + str(value)
        assert all(character.isprintable() or character.isspace() for character in shown if ord(character) < 160)
        assert "\n" not in str(value)
        shown.encode()


class Full(io.StringIO):
    """A disk that is full."""

    def write(self, _text: str) -> int:
        raise OSError(28, "No space left on device")


def test_a_line_that_cannot_be_written_harms_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    """No exception, and no copy of the event with its secrets elsewhere."""
    configure("info", Layout.JSON, REDACT, stream=Full())
    structlog.get_logger("monitor.x").info("event", password=PASSWORD)
    assert capsys.readouterr().err == "a log line of monitor.x could not be written\n"


def test_a_stderr_that_is_gone_harms_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where stderr itself cannot be written, the line is lost and the daemon goes on."""
    monkeypatch.setattr(sys, "stderr", Full())
    configure("info", Layout.JSON, REDACT)
    structlog.get_logger("monitor.x").info("event")


def test_configuring_again_replaces_what_is_known() -> None:
    """After a reload new secrets are removed, and no line comes twice."""
    first, second = as_json(), io.StringIO()
    configure("info", Layout.JSON, Redactor([Secret("brand-new-secret")]), stream=second)
    structlog.get_logger("monitor.x").info("event", value="brand-new-secret")
    assert first.getvalue() == ""
    assert [line["value"] for line in lines(second)] == [MASK]


def test_the_reporter_sees_the_exception_itself() -> None:
    """It stands before the step that turns exceptions into text."""
    seen: list[object] = []

    def report(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        seen.append(event.get("exc_info"))
        return event

    configure("info", Layout.JSON, REDACT, stream=io.StringIO(), report=report)
    error = ValueError()
    structlog.get_logger("monitor.x").error("crashed", exc_info=error)
    assert seen == [error]
