"""The JSON of an answer, read with care: there is what was expected, or a failure that says what that was."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from monitor.model import Failure, Reason, State

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}


class Found:
    """A value, and the place in the answer where it stands. Failures tell of places and kinds, never of values.

    Each method raises `Failure` (protocol, unknown) where the value is of another kind.
    """

    def __init__(self, value: Any, place: str = "the answer") -> None:  # noqa: ANN401 - any JSON value
        self.value = value
        self._place = place

    def __getitem__(self, key: str) -> Found:
        """Return what an object has under `key`."""
        found = self.get(key)
        if found is None:
            raise _unexpected(f"{key!r} in {self._place}", "nothing")
        return found

    def get(self, key: str) -> Found | None:
        """Return what an object has under `key`, None if it lacks it or has null there."""
        value = self._of(dict, "an object").get(key)
        return None if value is None else Found(value, f"{self._place}, {key}")

    def __iter__(self) -> Iterator[Found]:
        """Yield what a list holds."""
        for index, value in enumerate(self._of(list, "a list")):
            yield Found(value, f"{self._place}[{index}]")

    @property
    def text(self) -> str:
        """Return a text."""
        text: str = self._of(str, "a text")
        return text

    @property
    def flag(self) -> bool:
        """Return true or false."""
        flag: bool = self._of(bool, "true or false")
        return flag

    @property
    def number(self) -> float:
        """Return a finite number."""
        value = self.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _unexpected(f"a number at {self._place}", _kind(value))
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _unexpected(f"a number at {self._place}", "one that is too large")
        return number

    def _of(self, kind: type, name: str) -> Any:  # noqa: ANN401 - a value of that kind
        if not isinstance(self.value, kind):
            raise _unexpected(f"{name} at {self._place}", _kind(self.value))
        return self.value


def _kind(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return KINDS.get(type(value), "a number")


def _unexpected(wanted: str, got: str) -> Failure:
    return Failure(Reason.PROTOCOL, f"expected {wanted}, got {got}", State.UNKNOWN)
