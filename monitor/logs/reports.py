"""Our own bugs, for Sentry, and nothing else: what we watch, and what it answers, is nobody's business there.

So an event is not cleaned but built anew, from the few fields that say where our code failed. Local variables are
off. Texts lose addresses, header values, query strings and every known secret. Of Sentry's integrations only three
are used; the others patch libraries whose timing we measure, or read arguments and machine names.
"""

from __future__ import annotations

import re
import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration

from monitor.secrets import MASK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sentry_sdk.transport import Transport
    from sentry_sdk.types import Event, Hint
    from structlog.typing import EventDict

    from monitor.clock import Clock
    from monitor.secrets import Secret

QUIET = timedelta(minutes=10)
MOST_REMEMBERED = 1_000
LONGEST_TEXT = 2_000
LAST_REPORTS = timedelta(seconds=2)
"""How long the end of the process may wait for reports under way."""
KEPT = ("event_id", "timestamp", "level", "platform", "release", "environment", "logger", "sdk")
KEPT_OF_FRAME = ("filename", "function", "module", "lineno", "pre_context", "context_line", "post_context", "in_app")

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-[\w-]{1,60})(['\"]?\s*[:=]\s*)[^\n]+"),
        rf"\1\2{MASK}",
    ),
    (
        re.compile(r"(?i)([\w-]{0,60}(?:token|secret|password|passwd|api.?key|signature)['\"]?\s*[:=]\s*)\S+"),
        rf"\1{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+\S+"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s'\"<>]+"), rf"\1{MASK}"),
    (re.compile(r"\?[^\s'\"<>=]{1,200}=[^\s'\"<>]*"), f"?{MASK}"),
    (re.compile(r"[^\s@<>'\"(=]{1,64}@[\w.-]{1,253}"), MASK),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?\b"), MASK),
    (re.compile(r"(?i)(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}(?![\w:])"), MASK),
    (re.compile(r"(?i)\b(?:[a-z0-9_-]{1,63}\.){1,8}[a-z][a-z0-9-]{1,62}:\d{1,5}\b"), MASK),
    (
        re.compile(
            r"(?i)\b(?:[a-z0-9_-]{1,63}\.){1,8}(?:com|org|net|io|dev|app|eu|de|uk|fr|co|ai|tech|cloud|internal|local)\b"
        ),
        MASK,
    ),
)


def start_sentry(dsn: Secret, redact: Callable[[str], str], release: str, transport: Transport | None = None) -> None:
    """Begin to report our own bugs, or begin anew with newly known secrets, which may take two seconds.

    `transport` takes the place of Sentry's own.
    `send_default_pii` is left out: it is off unless set, and to set it at all is deprecated (2.75).
    Raises ValueError, without the text, when `dsn` is none.
    """
    sentry_sdk.get_client().close(LAST_REPORTS.total_seconds())
    try:
        sentry_sdk.init(
            dsn=dsn.reveal(),
            release=release,
            transport=transport,
            before_send=Scrubber(redact),
            default_integrations=False,
            auto_enabling_integrations=False,
            integrations=[AtexitIntegration(callback=_leave), ExcepthookIntegration(), DedupeIntegration()],
            include_local_variables=False,
            max_breadcrumbs=0,
            auto_session_tracking=False,
            send_client_reports=False,
            shutdown_timeout=LAST_REPORTS.total_seconds(),
        )
    except ValueError:
        raise ValueError("SENTRY_DSN is not a Sentry DSN, such as https://key@o1.ingest.sentry.io/2") from None


class Reports:
    """A step of logging that reports errors to Sentry: the same one at most every ten minutes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._reported: dict[tuple[str, str], datetime] = {}

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Report `event` if it is an error, and return it as it came."""
        if event.get("level") in {"error", "critical"}:
            error = _error(event.get("exc_info"))
            if self._news(str(event.get("event")), _place(error)):
                _capture(str(event.get("event")), error)
        return event

    def _news(self, event: str, place: str) -> bool:
        now = self._clock.now()
        before = self._reported.get((event, place))
        if before is not None and now - before < QUIET:
            return False
        if len(self._reported) >= MOST_REMEMBERED:
            self._reported.clear()
        self._reported[event, place] = now
        return True


class Scrubber:
    """Builds anew what may leave the house."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def __call__(self, event: Event, _hint: Hint) -> Event | None:
        """Return an event of the allowed fields, scrubbed."""
        source: Mapping[str, Any] = event
        clean: dict[str, Any] = {key: source[key] for key in KEPT if key in source}
        if "message" in source:
            clean["message"] = self.text(str(source["message"]))
        if "exception" in source:
            clean["exception"] = {"values": [self._exception(value) for value in source["exception"].get("values", ())]}
        return self._without_secrets(clean)  # type: ignore[no-any-return] # it is as plain as it was

    def text(self, text: str) -> str:
        """Return `text` without secrets and addresses."""
        text = self._redact(text)[:LONGEST_TEXT]
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def _exception(self, value: Mapping[str, Any]) -> dict[str, Any]:
        frames = (value.get("stacktrace") or {}).get("frames", ())
        return {
            "type": value.get("type"),
            "module": value.get("module"),
            "value": self.text(str(value.get("value") or "")),
            "stacktrace": {"frames": [{key: frame[key] for key in KEPT_OF_FRAME if key in frame} for frame in frames]},
        }

    def _without_secrets(self, value: Any) -> Any:  # noqa: ANN401 - JSON
        match value:
            case str():
                return self._redact(value)
            case dict():
                return {key: self._without_secrets(item) for key, item in value.items()}
            case list() | tuple():
                return [self._without_secrets(item) for item in value]
            case _:
                return value


def _capture(event: str, error: BaseException | None) -> None:
    if error is None:
        sentry_sdk.capture_message(event, level="error")
    else:
        sentry_sdk.capture_exception(error)


def _error(exc_info: object) -> BaseException | None:
    """Return the exception that `exc_info` means, in any of the forms that logging allows."""
    match exc_info:
        case BaseException():
            return exc_info
        case (_, BaseException() as error, _):
            return error
        case True:
            return sys.exc_info()[1]
        case _:
            return None


def _place(error: BaseException | None) -> str:
    """Return what tells one error from another: its type and the line it came from."""
    if error is None:
        return ""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
    return f"{type(error).__name__} {where}"


def _leave(_pending: int, _timeout: float) -> None:
    """Say nothing at the end, where Sentry would print to stderr that it waits."""
