"""From a mapping or an address to a kind of check or channel, its fields in a section ready to be validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from monitor import channels, probes
from monitor.faults import allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from monitor.channels.base import Channel
    from monitor.config.section import Section
    from monitor.probes.base import Check

Kind = TypeVar("Kind", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Kinds(Generic[Kind]):
    """All kinds of one thing: their names, their classes, and which kind an address means."""

    noun: str
    names: Mapping[str, str]
    load: Callable[[str], type[Kind]]
    of_address: Callable[[str], tuple[str, dict[str, Any]] | None]

    def all(self) -> dict[str, type[Kind]]:
        """Return the class of every kind, by name; this imports them all."""
        return {name: self.load(name) for name in self.names}

    def read(self, section: Section, raw: Any) -> type[Kind] | None:  # noqa: ANN401 - any value
        """Take `raw` into `section` and return the class of its kind, or None when that cannot be told: a fault."""
        if isinstance(raw, str):
            return self._read_address(section, raw)
        if not isinstance(raw, dict):
            section.fault((), f"a {self.noun} must be an address or a mapping")
            return None
        section.put_all(raw)
        if "kind" not in raw:
            section.data["kind"] = self._kind_of_url(section)
        return self._class(section)

    def _read_address(self, section: Section, raw: str) -> type[Kind] | None:
        try:
            section.put_short(raw, self._expand)
        except ValueError as error:
            section.fault((), str(error))
            return None
        return self._class(section)

    def _expand(self, text: str) -> dict[str, Any]:
        meant = self.of_address(text)
        if meant is None:
            raise ValueError(f"{text!r} is not an address from which the kind of {self.noun} follows")
        kind, fields = meant
        return {"kind": kind, **fields}

    def _kind_of_url(self, section: Section) -> str:
        """Return the kind that `url` tells where `kind` is left out, or nothing."""
        try:
            meant = self.of_address(str(section.data.get("url", "")))
        except ValueError:
            return ""
        return meant[0] if meant else ""

    def _class(self, section: Section) -> type[Kind] | None:
        kind = section.data["kind"]
        if isinstance(kind, str) and kind in self.names:
            return self.load(kind)
        message = f"{kind!r} is not a kind of {self.noun}" if kind else f"says no kind of {self.noun}"
        section.fault(("kind",), message, allowed(str(kind), self.names))
        return None


CHECKS: Kinds[Check] = Kinds("check", probes.KINDS, probes.load_kind, probes.kind_of_address)
CHANNELS: Kinds[Channel] = Kinds("channel", channels.KINDS, channels.load_kind, channels.kind_of_address)


def keys(model: type[BaseModel]) -> Iterator[str]:
    """Yield the keys that a file may give for `model`."""
    yield from (field.alias or name for name, field in model.model_fields.items())
