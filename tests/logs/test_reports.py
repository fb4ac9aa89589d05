from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sentry_sdk
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sentry_sdk.transport import Transport

from monitor.logs import Layout, Reports, configure, start_sentry
from monitor.logs.reports import MOST_REMEMBERED, QUIET, Scrubber
from monitor.secrets import MASK, Redactor, Secret
from tests.fakes import FakeClock

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentry_sdk.envelope import Envelope

DSN = Secret("https://0123456789abcdef0123456789abcdef@o1.ingest.sentry.io/2")
PASSWORD = "p4ssw0rd-of-the-database"
SITE = "shop/site"
REDACT = Redactor([Secret(PASSWORD)])


class Caught(Transport):
    """Keeps what Sentry would get."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[dict[str, Any]] = []
        self.envelopes = 0
        self.killed = False

    def kill(self) -> None:
        self.killed = True

    def capture_envelope(self, envelope: Envelope) -> None:
        self.envelopes += 1
        event = envelope.get_event()
        if event is not None:
            self.events.append(json.loads(json.dumps(event)))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def caught(clock: FakeClock) -> Iterator[Caught]:
    root, ours, hook = logging.getLogger(), logging.getLogger("monitor"), sys.excepthook
    before = (root.handlers[:], root.level, ours.level)
    transport = Caught()
    start_sentry(DSN, REDACT, "runbook-monitor@1", transport)
    configure("info", Layout.JSON, REDACT, stream=io.StringIO(), report=Reports(clock))
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    root.handlers[:], root.level, ours.level = before
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    sys.excepthook = hook


def crash(text: str = "broken") -> None:
    """Log an exception as product code does."""
    password = PASSWORD
    try:
        raise RuntimeError(text + password[:0])  # noqa: TRY301 - its frame is what is looked at
    except RuntimeError:
        structlog.get_logger("monitor.x").exception("probe_crashed", check=SITE, token=password)


def test_a_bug_is_reported_with_its_traceback_and_nothing_else(caught: Caught) -> None:
    """Type, text, file, function and line; no variables, fields, machine, user, request, modules or breadcrumbs."""
    structlog.get_logger("monitor.x").info("before", address="https://shop.example.com")
    crash(f"cannot log in with {PASSWORD}")
    (event,) = caught.events
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("RuntimeError", f"cannot log in with {MASK}")
    assert error["stacktrace"]["frames"][-1]["function"] == "crash"
    assert event["release"] == "runbook-monitor@1"
    allowed = {"event_id", "timestamp", "level", "platform", "release", "environment", "exception", "sdk"}
    assert set(event) <= allowed | {"_meta"}
    text = json.dumps(event)
    assert "p4ssw0rd" not in text
    assert "vars" not in text
    assert SITE not in text


def test_bugs_in_other_libraries_are_reported(caught: Caught) -> None:
    """The event loop tells of a task's lost exception through the standard library."""
    error = ValueError("lost")
    logging.getLogger("asyncio").error("Task exception was never retrieved", exc_info=error)
    assert [event["exception"]["values"][0]["value"] for event in caught.events] == ["lost"]


def test_an_error_without_exception_is_reported_by_its_name(caught: Caught) -> None:
    """An error line is a bug of ours too; its fields stay here."""
    structlog.get_logger("monitor.x").error("table_not_total", secret=PASSWORD)
    assert [event["message"] for event in caught.events] == ["table_not_total"]


def test_less_than_an_error_is_not_reported(caught: Caught) -> None:
    """A failing target or channel is daily business."""
    structlog.get_logger("monitor.x").warning("send_failed", exc_info=ValueError("x"))
    assert caught.envelopes == 0


async def test_the_same_bug_is_reported_once_in_ten_minutes(caught: Caught, clock: FakeClock) -> None:
    """A bug in a check that runs each second does not use up the quota; another bug is told at once."""
    for _ in range(5):
        crash()
    structlog.get_logger("monitor.x").error("another")
    assert len(caught.events) == 2
    await clock.advance(QUIET - timedelta(seconds=1))
    crash()
    assert len(caught.events) == 2
    await clock.advance(timedelta(seconds=1))
    crash()
    assert len(caught.events) == 3


def broken(at: str) -> None:
    """Raise the same error at one of two lines."""
    if at == "here":
        raise KeyError("x")
    raise KeyError("x")


def test_the_line_tells_one_bug_from_another(caught: Caught) -> None:
    """Two places that fail alike, under one event, are two bugs."""
    for place in ("here", "there", "here"):
        try:
            broken(place)
        except KeyError as error:
            structlog.get_logger("monitor.x").error("crashed", exc_info=error)
    assert len(caught.events) == 2


def test_what_was_reported_is_not_remembered_without_bound(clock: FakeClock) -> None:
    """Ever new names do not fill the memory."""
    reports = Reports(clock)
    for n in range(3 * MOST_REMEMBERED):
        reports._news(f"event {n}", "")
    assert len(reports._reported) <= MOST_REMEMBERED


@pytest.mark.parametrize("exc_info", [True, None, (None, None, None), "nonsense"])
def test_any_form_of_exception_is_taken(clock: FakeClock, caught: Caught, exc_info: object) -> None:
    """Without an exception, what is left is a message."""
    Reports(clock)(None, "error", {"level": "error", "event": "odd", "exc_info": exc_info})
    assert [event["message"] for event in caught.events] == ["odd"]


def test_an_exception_that_was_never_raised_is_taken(caught: Caught) -> None:
    """It has no line to come from."""
    structlog.get_logger("monitor.x").error("odd", exc_info=(ValueError, ValueError("x"), None))
    assert len(caught.events) == 1


@pytest.mark.parametrize(
    "leak",
    [
        "https://user:hunter2@shop.example.com/path?key=hunter2",
        "postgres://hunter2@db/x",
        "Cannot connect to host hunter2.example.com:443 ssl:default",
        "hunter2.internal has no address",
        "GET /path?token=hunter2&x=1",
        "Authorization: Bearer hunter2",
        "{'Authorization': 'Basic hunter2'}",
        "{'X-Api-Key': 'hunter2', 'Cookie': 'a=hunter2; b=hunter2'}",
        "Set-Cookie: sid=hunter2; Path=/hunter2",
        "api_key=hunter2",
        'password: "hunter2"',
        "sent Bearer hunter2",
        "mail to hunter2@example.com refused",
    ],
)
def test_texts_lose_addresses_header_values_and_queries(leak: str) -> None:
    """None of what an error of another library may repeat leaves the house."""
    assert "hunter2" not in Scrubber(REDACT).text(leak)


@pytest.mark.parametrize("address", ["192.0.2.7", "192.0.2.7:5432", "2001:db8::7", "::1", "[2001:db8::7]:80"])
def test_texts_lose_numeric_addresses(address: str) -> None:
    """Neither version of IP is shown."""
    assert address not in Scrubber(REDACT).text(f"no route to {address} now")


def test_texts_keep_what_says_what_went_wrong() -> None:
    """Scrubbing leaves names of types and modules, and plain words."""
    text = "KeyError in monitor.probes.http: 'status' after 3 of 5 runs"
    assert Scrubber(REDACT).text(text) == text


@given(st.text(max_size=300))
def test_scrubbing_takes_any_text(text: str) -> None:
    """It never fails, and a secret never survives it."""
    assert PASSWORD not in Scrubber(REDACT).text(f"{text}{PASSWORD}{text}")


def test_an_event_is_built_from_allowed_fields_alone() -> None:
    """Whatever a later version of the SDK adds stays here, until somebody allows it."""
    event: dict[str, Any] = {
        "event_id": "1",
        "level": "error",
        "server_name": "machine",
        "user": {"ip_address": "192.0.2.7"},
        "request": {"headers": {"Cookie": "x"}, "query_string": "x"},
        "breadcrumbs": {"values": [{"message": "x"}]},
        "extra": {"sys.argv": ["x"]},
        "contexts": {"trace": {}},
        "modules": {"x": "1"},
        "new": "x",
        "message": f"with {PASSWORD}",
        "sdk": {"name": PASSWORD, "packages": [PASSWORD, 1]},
        "exception": {
            "values": [
                {
                    "type": "E",
                    "value": None,
                    "mechanism": {"data": "x"},
                    "stacktrace": {"frames": [{"function": "f", "vars": {"x": "y"}, "abs_path": "/home/x"}]},
                },
                {"type": "E", "stacktrace": None},
            ]
        },
    }
    assert Scrubber(REDACT)(event, {}) == {  # type: ignore[arg-type]
        "event_id": "1",
        "level": "error",
        "message": f"with {MASK}",
        "sdk": {"name": MASK, "packages": [MASK, 1]},
        "exception": {
            "values": [
                {"type": "E", "module": None, "value": "", "stacktrace": {"frames": [{"function": "f"}]}},
                {"type": "E", "module": None, "value": "", "stacktrace": {"frames": []}},
            ]
        },
    }


def test_a_bad_dsn_is_an_error_without_its_text() -> None:
    """A key pasted into the wrong variable is not repeated."""
    with pytest.raises(ValueError, match="SENTRY_DSN is not a Sentry DSN") as caught:
        start_sentry(Secret(f"ftp://{PASSWORD}"), REDACT, "1")
    assert PASSWORD not in str(caught.getrepr())


def test_beginning_anew_ends_what_was_before(caught: Caught) -> None:
    """A reload leaves no thread behind, and the newly known secrets are removed."""
    second = Caught()
    start_sentry(DSN, Redactor([Secret("brand-new-secret")]), "2", second)
    assert caught.killed
    crash("knows brand-new-secret")
    assert caught.events == []
    assert [event["exception"]["values"][0]["value"] for event in second.events] == [f"knows {MASK}"]


def test_only_the_chosen_integrations_are_on(caught: Caught) -> None:
    """Nothing patches the libraries whose timing we measure, and nothing is traced."""
    client = sentry_sdk.get_client()
    assert set(client.integrations) == {"atexit", "excepthook", "dedupe"}
    assert client.options["traces_sample_rate"] is None
    assert client.options["include_local_variables"] is False
    assert client.should_send_default_pii() is False
    assert caught.envelopes == 0


CRASH = """
from sentry_sdk.transport import Transport
from monitor.logs import start_sentry
from monitor.secrets import Redactor, Secret

class Printing(Transport):
    def capture_envelope(self, envelope):
        event = envelope.get_event()
        print(event["exception"]["values"][0]["value"], flush=True)

start_sentry(Secret("https://0123@o1.ingest.sentry.io/2"), Redactor(), "1", Printing())
raise RuntimeError("the end, at https://shop.example.com/")
"""


def test_what_ends_the_process_is_reported() -> None:
    """An exception that nobody catches goes out, scrubbed, before the process does; stderr holds its traceback only."""
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stdout == f"the end, at https://{MASK}\n"
    assert "Sentry" not in done.stderr
