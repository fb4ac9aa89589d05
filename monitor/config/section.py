"""A part of a file on its way into a model: its values with variables put in, and where each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from monitor.config.variables import NAME, Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from monitor.config.questions import Asked, Known
    from monitor.config.variables import Scalar
    from monitor.config.yaml_file import Document, KeyPath
    from monitor.faults import Fault

CONDITION = "if_set"  # names a variable, and holds none
SHORT = "\0"  # the key of a short form, which no file can write plainly


@dataclass(slots=True)
class Context:
    """What the reading of a whole configuration shares. `placeholders`: variables need not be set, nothing is skipped.

    `faults` gathers what is wrong, `known` every check, `asked` what steps of their remedies run.
    """

    variables: Variables
    placeholders: bool = False
    faults: list[Fault] = field(default_factory=list)
    known: Known = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def skip_reason(self, raw: Mapping[str, Any]) -> str:
        """Return why what `raw` describes is skipped, or nothing."""
        name = raw.get(CONDITION)
        if not isinstance(name, str) or not NAME.fullmatch(name):
            return ""
        self.variables.used.add(name)
        return "" if self.placeholders or self.variables.is_set(name) else f"{name} is not set"


class Section:
    """Named values from a file, to be validated together. `lenient`: a variable that is not set is no fault here.

    `salvaged`: wrong values were left out, so that what follows from them is not worth a fault of its own.
    """

    def __init__(self, document: Document, base: KeyPath, context: Context, *, lenient: bool = False) -> None:
        self.document = document
        self.base = base
        self.data: dict[str, Any] = {}
        self._context = context
        self._lenient = lenient or context.placeholders
        self._origins: dict[str, KeyPath] = {}
        self._scalars: dict[KeyPath, Scalar] = {}
        self._tried: dict[KeyPath, int] = {}
        self._short: set[str] = set()
        self.salvaged = False
        self._expand: Callable[[str], Mapping[str, Any]]

    def put(self, key: str, value: Any, origin: KeyPath | None = None) -> None:  # noqa: ANN401 - any value
        """Take `value` in under `key`, its variables put in; `origin` is where in the file it stands, if elsewhere."""
        if origin is not None:
            self._origins[key] = origin
        self.data[key] = value if key == CONDITION else self._fill((key,), value)

    def put_all(self, values: Mapping[str, Any]) -> None:
        """Take in all `values`, which stand in the file at `base`."""
        for key, value in values.items():
            self.put(key, value)

    def put_short(self, text: str, expand: Callable[[str], Mapping[str, Any]]) -> None:
        """Take in the fields that `expand` makes of `text`, which stands in the file at `base` in place of a mapping.

        Whatever `expand` raises is passed on.
        """
        self._origins[SHORT] = self.base
        self._expand = expand
        self._put_expanded(self._fill((SHORT,), text))

    def _put_expanded(self, reading: Any) -> None:  # noqa: ANN401 - any scalar
        fields = self._expand(str(reading))
        self.data |= fields
        self._short |= fields.keys()
        self._origins |= dict.fromkeys(fields, self.base)

    def path(self, inner: Sequence[str | int]) -> KeyPath:
        """Return where in the file `inner`, a path within this section, stands."""
        if inner and inner[0] in self._origins:
            return (*self._origins[str(inner[0])], *inner[1:])
        return (*self.base, *inner)

    def fault(self, inner: Sequence[str | int], message: str, hint: str = "") -> None:
        """Note a fault, unless it lies in a value that is a stand-in for what no fault is to be found in."""
        scalar = self._scalar(inner)
        if scalar is not None:
            if scalar.guessed and not self._context.placeholders:
                return
            message = _unread(message, scalar)
        self._context.faults.append(self.document.fault(self.path(inner), message, hint))

    def shows(self, text: str) -> bool:
        """Return whether `text` holds nothing that is secret."""
        return not any(secret in text for secret in self._context.variables.secrets)

    def folded(self, inner: Sequence[str | int]) -> bool:
        """Return whether the text at `inner` was written with a `>` that YAML took for its own."""
        return self.document.styles.get(self.path(inner)) == ">"

    def reread(self, inners: Iterable[Sequence[str | int]]) -> bool:
        """Give each value among `inners` that may be read in another way its next reading; False if none may."""
        scalars = {self._key(inner): scalar for inner in inners if (scalar := self._scalar(inner))}
        return sum(self._next(key, scalar) for key, scalar in scalars.items()) > 0

    def drop(self, inner: Sequence[str | int]) -> None:
        """Leave out what stands at `inner`, or the list that it is in, so that the rest can be looked at."""
        self.salvaged = True
        holder: Any = self.data
        parent, key = self.data, str(inner[0] if inner else "")
        for step in inner:
            if isinstance(holder, dict):
                if step not in holder:
                    return
                parent, key = holder, str(step)
            holder = holder[step]
        parent.pop(key, None)

    def _next(self, key: KeyPath, scalar: Scalar) -> bool:
        tried = self._tried[key] = self._tried.get(key, 0) + 1
        if tried >= len(scalar.readings):
            return False
        if key != (SHORT,):
            self._set(key, scalar.readings[tried])
            return True
        try:
            self._put_expanded(scalar.readings[tried])
        except ValueError:
            return self._next(key, scalar)
        return True

    def _scalar(self, inner: Sequence[str | int]) -> Scalar | None:
        return self._scalars.get(self._key(inner))

    def _key(self, inner: Sequence[str | int]) -> KeyPath:
        return (SHORT,) if not self._short.isdisjoint(inner[:1]) else tuple(inner)

    def _fill(self, inner: KeyPath, value: Any) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, dict):
            return {key: self._fill((*inner, key), part) for key, part in value.items()}
        if isinstance(value, list):
            return [self._fill((*inner, index), part) for index, part in enumerate(value)]
        if not isinstance(value, str) or "${" not in value:
            return value
        return self._read(inner, value)

    def _read(self, inner: KeyPath, text: str) -> Any:  # noqa: ANN401 - any scalar
        path = self.path(inner)
        scalar = self._context.variables.read(text, plain=path not in self.document.styles)
        if scalar.broken:
            hint = "write ${NAME} or ${NAME:-default}, or $${ where a plain ${ is meant"
            self._context.faults.append(self.document.fault(path, "${ begins no variable", hint))
        if not self._lenient:
            for name in scalar.unset:
                hint = "set it, or give it a default: ${" + name + ":-…}"
                self._context.faults.append(self.document.fault(path, f"the variable {name} is not set", hint))
        self._scalars[inner] = scalar
        return scalar.readings[0]

    def _set(self, inner: KeyPath, value: Any) -> None:  # noqa: ANN401 - any scalar
        holder: Any = self.data
        for step in inner[:-1]:
            holder = holder[step]
        holder[inner[-1]] = value


def _unread(message: str, scalar: Scalar) -> str:
    """Return `message` with the text of the file in place of what the variables made of it."""
    for reading in sorted({str(reading) for reading in scalar.readings}, key=len, reverse=True):
        message = message.replace(repr(reading), repr(scalar.text))
    return message
