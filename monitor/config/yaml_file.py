"""One YAML file as plain values that know where they stand, and nothing that a hostile or broken file could do.

The file is read as YAML 1.2's core schema has it: `no` is a word and a date is a text. Tags, merge keys, several
documents and keys that are no words are refused. Size, depth and number of values (aliases expanded) are limited.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import ReaderError

from monitor.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

KeyPath = tuple[str | int, ...]
"""The keys and indexes that lead from the top of a file to a value."""

LARGEST = 1 << 20
DEEPEST = 30
MOST_VALUES = 200_000
UNEQUAL = "!="
AGAIN = "\0"  # keeps what a key holds the second time out of the way of the first


def _finite(text: str) -> float | str:
    return number if math.isfinite(number := float(text)) else text


_CORE: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"|~|null|Null|NULL"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?[0-9]{1,300}"), int),
    (re.compile(r"0o[0-7]{1,300}|0x[0-9a-fA-F]{1,300}"), lambda text: int(text, 0)),
    (re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"), _finite),
    (re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"), lambda text: float(text.replace(".", ""))),
)
"""What a plain scalar is in YAML 1.2's core schema, and how it is read; anything else is text."""
_FIGURE = re.compile(r":\s*(>=?|!=)\s*\S")


@dataclass(slots=True)
class Document:
    """What one file holds. `places` gives line and column, from 1, of every value; `styles` how texts were quoted."""

    file: str
    data: dict[str, Any] = field(default_factory=dict)
    places: dict[KeyPath, tuple[int, int]] = field(default_factory=dict)
    styles: dict[KeyPath, str] = field(default_factory=dict)

    def fault(self, path: Sequence[str | int], message: str, hint: str = "", key: str | None = None) -> Fault:
        """Return the fault at `path`, or at the nearest thing around it that the file holds."""
        line, column = self.place(path)
        return Fault(message, self.key(path) if key is None else key, self.file, line, column, hint)

    def place(self, path: Sequence[str | int]) -> tuple[int, int]:
        """Return the line and the column of what stands at `path`, or of the nearest thing around it."""
        around = tuple(path)
        while around and around not in self.places:
            around = around[:-1]
        return self.places.get(around, (1, 1))

    def key(self, path: Sequence[str | int]) -> str:
        """Return how people name `path`: `system/check.key`."""
        rest = list(path)
        system = str(self.data.get("system") or "")
        if rest[:1] == ["systems"] and rest[1:]:
            system, rest = str(rest[1]), rest[2:]
        if rest[:1] == ["checks"] and rest[1:]:
            head, rest = f"{system}/{rest[1]}", rest[2:]
        else:
            head = system
        steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
        return (head + steps).lstrip(".")


def read(path: Path, faults: list[Fault]) -> Document | None:
    """Return what the file at `path` holds, or None if that cannot be told; what is wrong goes to `faults`."""
    document = Document(str(path))
    try:
        builder = _Builder(document)
        top = _parse(document.file, _text(path), builder)
    except _Hopeless as error:
        faults.append(error.fault)
        return None
    if not isinstance(top, dict):
        faults.append(_no_mapping(document.file, top))
        return None
    document.data = top
    for key, (line, column), message, hint in builder.faults:
        faults.append(Fault(message, document.key(key), document.file, line, column, hint))
    return document


def core(text: str) -> Any:  # noqa: ANN401 - any scalar
    """Return the value of a plain scalar: null, a bool, an int, a float or the text itself."""
    for pattern, read_as in _CORE:
        if pattern.fullmatch(text):
            return read_as(text)
    return text


class _Hopeless(Exception):  # noqa: N818 - ends the reading of one file
    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


class _Builder:
    """Turns the parser's events into plain values, within limits."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._count = 0
        self._anchors: dict[str, tuple[Any, KeyPath]] = {}
        self.faults: list[tuple[KeyPath, tuple[int, int], str, str]] = []

    def top(self, events: Iterator[Any]) -> Any:  # noqa: ANN401 - any value
        value: Any = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._hopeless(event, "a second document begins here", "one file holds one document")
                value = self._value(next(events), events, ())
        return value

    def _value(self, event: Any, events: Iterator[Any], path: KeyPath) -> Any:  # noqa: ANN401 - the library has no types
        if len(path) > DEEPEST:
            raise self._hopeless(event, f"is nested more than {DEEPEST} levels deep")
        self._counted(event)
        self._document.places.setdefault(path, _place(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path)
        if event.ctag is not None:
            tag = str(event.ctag).replace("tag:yaml.org,2002:", "!!")
            hint = 'quote a figure such as "!= 5"' if tag == UNEQUAL else "write the value without it"
            self.faults.append((path, _place(event), f"{tag} is a YAML tag, and those are not allowed", hint))
        if isinstance(event, yaml.ScalarEvent):
            value = self._scalar(event, path)
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(events, path)
        else:
            value = self._mapping(events, path)
        if event.anchor:
            self._anchors[event.anchor] = (value, path)
        return value

    def _scalar(self, event: Any, path: KeyPath) -> Any:  # noqa: ANN401 - see above
        if str(event.ctag) == UNEQUAL:
            return f"{UNEQUAL} {event.value}"  # what was meant, so that nothing else is found wrong with it
        if not event.style:
            return core(event.value)
        self._document.styles[path] = event.style
        return str(event.value)

    def _sequence(self, events: Iterator[Any], path: KeyPath) -> list[Any]:
        values: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            values.append(self._value(event, events, (*path, len(values))))
        return values

    def _mapping(self, events: Iterator[Any], path: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self._hopeless(event, "a key must be a word", "quote a text that begins with {, [, * or &")
            name = str(event.value)
            at = (*path, name)
            if name == "<<" and not event.style:
                self.faults.append(
                    (at, _place(event), "merge keys are not part of YAML 1.2", "use the system's defaults")
                )
            if name in values:
                first = self._document.places[at][0]
                self.faults.append((at, _place(event), "is given twice", f"first in line {first}"))
                at = (*at, AGAIN)
            self._document.places[at] = _place(event)
            value = self._value(next(events), events, at)
            values.setdefault(name, value)
        return values

    def _alias(self, event: Any, path: KeyPath) -> Any:  # noqa: ANN401 - see above
        if event.anchor not in self._anchors:
            raise self._hopeless(
                event, f"*{event.anchor} refers to nothing before it", "quote a text that begins with *"
            )
        value, origin = self._anchors[event.anchor]
        return self._copy(event, value, origin, path)

    def _copy(self, event: Any, value: Any, origin: KeyPath, path: KeyPath) -> Any:  # noqa: ANN401 - see above
        self._counted(event)
        if origin in self._document.styles:
            self._document.styles[path] = self._document.styles[origin]
        self._document.places.setdefault(path, self._document.places[origin])
        if isinstance(value, dict):
            return {name: self._copy(event, part, (*origin, name), (*path, name)) for name, part in value.items()}
        if isinstance(value, list):
            return [self._copy(event, part, (*origin, n), (*path, n)) for n, part in enumerate(value)]
        return value

    def _counted(self, event: Any) -> None:  # noqa: ANN401 - see above
        self._count += 1
        if self._count > MOST_VALUES:
            raise self._hopeless(event, f"holds more than {MOST_VALUES:,} values once its aliases are expanded")

    def _hopeless(self, event: Any, message: str, hint: str = "") -> _Hopeless:  # noqa: ANN401 - see above
        line, column = _place(event)
        return _Hopeless(Fault(message, "", self._document.file, line, column, hint))


def _parse(file: str, text: str, builder: _Builder) -> Any:  # noqa: ANN401 - any value
    try:
        return builder.top(YAML(typ="safe", pure=True).parse(text))
    except _Hopeless:
        raise
    except MarkedYAMLError as error:
        raise _Hopeless(_syntax(file, text, error)) from None
    except ReaderError as error:
        raise _Hopeless(_unprintable(file, text, error)) from None
    except Exception as error:  # noqa: BLE001 - a bug of the parser on odd input is the file's fault
        raise _Hopeless(Fault(f"cannot be read as YAML ({type(error).__name__})", file=file, line=1)) from None


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise _Hopeless(Fault("is not a file", file=str(path)))
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        raise _Hopeless(Fault(f"cannot be read: {error.strerror or error}", file=str(path))) from None
    if len(raw) > LARGEST:
        hint = "split it into a file for each system"
        raise _Hopeless(Fault("is larger than 1 MiB", file=str(path), line=1, hint=hint))
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        raise _Hopeless(Fault("is not UTF-8", "", str(path), line, column, "save it as UTF-8")) from None


def _syntax(file: str, text: str, error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = " ".join(str(error.problem or error.context or "unreadable").split())
    lines = text.splitlines()
    hint = _syntax_hint(lines[line - 1] if line <= len(lines) else "", problem)
    return Fault(f"is not YAML: {problem}", "", file, line, column, hint)


def _syntax_hint(line: str, problem: str) -> str:
    if found := _FIGURE.search(line):
        return f'quote figures: "{found[1]} 300ms"'
    if "${" in line and ("{ " in line or "[" in line or line.count("{") > line.count("${")):
        return 'quote variables within { } and [ ]: "${NAME}"'
    if "\t" in line:
        return "indent with spaces, not tabs"
    if "mapping values are not allowed" in problem:
        return "quote a text that holds ': '"
    if "cannot start any token" in problem:
        return "quote a text that begins with %, @ or `"
    return ""


def _unprintable(file: str, text: str, error: ReaderError) -> Fault:
    position = error.position if isinstance(error.position, int) else 0
    line = text.count("\n", 0, position) + 1
    return Fault("holds a control character", "", file, line, 1, "YAML allows none but tabs and line ends")


def _no_mapping(file: str, top: Any) -> Fault:  # noqa: ANN401 - any value
    if top is None:
        return Fault("is empty", file=file, line=1, hint="the shortest whole file stands in the README")
    found = "a list" if isinstance(top, list) else "a single value"
    return Fault(f"must be a mapping (key: value), and is {found}", file=file, line=1)


def _place(event: Any) -> tuple[int, int]:  # noqa: ANN401 - see above
    return event.start_mark.line + 1, event.start_mark.column + 1
