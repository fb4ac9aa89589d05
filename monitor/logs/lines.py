"""Log lines: structlog and the standard library through the same steps, as JSON or for a terminal.

The steps are the order below. Exceptions become text before secrets are removed, so that what an exception says is
searched as well; everything that is no number becomes text for the same reason. Tracebacks never show variables.
"""

from __future__ import annotations

import enum
import logging
import math
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog
from structlog.stdlib import ProcessorFormatter

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TextIO

    from structlog.typing import EventDict, Processor

LONGEST = 20_000
OURS = "monitor"

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


class Layout(enum.StrEnum):
    """How lines look: `json`, one object each; `console`, for people."""

    JSON = "json"
    CONSOLE = "console"


def configure(
    level: str,
    layout: Layout | None,
    redact: Callable[[str], str],
    *,
    stream: TextIO | None = None,
    report: Processor | None = None,
) -> None:
    """Route every log line of this process to `stream` (None: stderr); may be called again, with newly known secrets.

    `level` (a name such as `info`) is for our own lines; other libraries are heard from `warning` on, because their
    debug lines repeat what they send. `layout` None is console on a terminal, else JSON. `report` sees each event
    before its exception becomes text. Raises ValueError for an unknown level.
    """
    stream = stream or sys.stderr
    ours = _level(level)
    lines = Lines(stream)
    lines.setFormatter(_formatter(_layout(layout, stream), redact, report, colours=stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(max(ours, logging.WARNING))
    logging.getLogger(OURS).setLevel(ours)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *_first(), ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


class Lines(logging.StreamHandler["TextIO"]):
    """Writes lines. One that cannot be written is lost: the standard way, printing it elsewhere, would show secrets."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say only that a line was lost, and where it came from."""
        if sys.stderr is not self.stream:
            sys.stderr.write(f"a log line of {record.name} could not be written\n")


class Redaction:
    """The step after which an event holds nothing but numbers and texts without secrets."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        """Return `event` with every value made plain."""
        return {self._text(key): self._plain(value) for key, value in event.items()}

    def _plain(self, value: object) -> Any:  # noqa: ANN401 - anything that JSON can hold
        match value:
            case Mapping():
                return {self._text(key): self._plain(item) for key, item in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._plain(item) for item in value]
            case _ if _is_number(value):
                return value
            case _:
                return self._text(value)

    def _text(self, value: object) -> str:
        try:
            text = f"{type(value).__name__}: {value}" if isinstance(value, BaseException) else str(value)
        except Exception:  # noqa: BLE001 - a value that cannot be shown must not cost the line
            text = f"<{type(value).__name__}>"
        return self._redact(text)[:LONGEST]


def neutralise(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Take from terminals what would move, colour or hide: the step before lines for people.

    A line break inside a value is shown as one; the lines of a traceback are indented, so none can pose as a log line.
    """
    safe: EventDict = {str(_flat(key)): _flat(value) for key, value in event.items() if key != "exception"}
    if trace := event.get("exception"):
        safe["exception"] = "\n".join(f"    {_visible(line)}" for line in str(trace).split("\n"))
    return safe


def _formatter(
    layout: Layout, redact: Callable[[str], str], report: Processor | None, *, colours: bool
) -> logging.Formatter:
    plain_traceback = structlog.dev.plain_traceback
    last: list[Processor] = (
        [structlog.processors.JSONRenderer()]
        if layout is Layout.JSON
        else [neutralise, structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain_traceback)]
    )
    middle: list[Processor] = [
        structlog.processors.format_exc_info,
        ProcessorFormatter.remove_processors_meta,
        Redaction(redact),
    ]
    return ProcessorFormatter(foreign_pre_chain=_first(), processors=[*([report] if report else []), *middle, *last])


def _first() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _layout(layout: Layout | None, stream: TextIO) -> Layout:
    return layout or (Layout.CONSOLE if stream.isatty() else Layout.JSON)


def _level(name: str) -> int:
    levels = logging.getLevelNamesMapping()
    if name.upper() not in levels:
        raise ValueError(f"{name!r} is not a log level: debug, info, warning, error or critical")
    return levels[name.upper()]


def _is_number(value: object) -> bool:
    """Return whether JSON can hold `value` as it is, and no text hides in it."""
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and not isinstance(value, enum.Enum))


def _flat(value: object) -> object:
    return value if isinstance(value, int | float | None) else _visible(str(value)).replace("\n", "\\n")


def _visible(text: str) -> str:
    return _UNSAFE.sub(lambda match: ascii(match[0])[1:-1], text)
