"""The dashboards as they stand in the files, and their questions as Grafana would ask them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FOLDER = Path(__file__).parent.parent.parent / "config/grafana/dashboards"
FILES = sorted(FOLDER.glob("*.json"))
VARIABLE = re.compile(r"\$\{(\w+)(?::\w+)?\}|\$(\w+)")
LABELS = re.compile(r"label_values\((.+), (\w+)\)")


class Asked(NamedTuple):
    """One question: of which dashboard and panel, its text, whether it is asked of one moment only."""

    board: str
    where: str
    expr: str
    instant: bool = False


class Board:
    """A dashboard as a file has it."""

    def __init__(self, path: Path) -> None:
        self.name = path.stem
        self.json: dict[str, Any] = json.loads(path.read_text("utf-8"))

    @property
    def panels(self) -> list[dict[str, Any]]:
        """Return its panels without the headings of rows."""
        return [panel for panel in self.json["panels"] if panel["type"] != "row"]

    @property
    def variables(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json["templating"]["list"]
        return found

    @property
    def annotations(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.json["annotations"]["list"]
        return found

    def questions(self) -> Iterator[Asked]:
        """Yield the questions of all panels and annotations."""
        for panel in self.panels:
            for target in panel["targets"]:
                where = f"{panel['title']} {target['refId']}"
                yield Asked(self.name, where, target["expr"], target["instant"])
        for mark in self.annotations:
            yield Asked(self.name, f"annotation {mark['name']}", mark["target"]["expr"])

    def choices(self) -> Iterator[tuple[dict[str, Any], str, str]]:
        """Yield each variable that is asked for, the series that it is asked of, and the label."""
        for variable in self.variables:
            if variable["type"] == "query":
                found = LABELS.fullmatch(variable["query"]["query"])
                assert found, variable
                yield variable, found[1], found[2]


def boards() -> list[Board]:
    return [Board(path) for path in FILES]


def used(text: str) -> set[str]:
    """Return the names of the variables in a text."""
    return {first or second for first, second in VARIABLE.findall(text)}


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a question with its variables replaced, as Grafana does before it asks."""
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], text)


def either(values: list[str]) -> str:
    """Return several chosen values as Grafana puts them into a regular expression."""
    escaped = [re.sub(r"([\\^$.*+?()\[\]{}|/])", r"\\\\\1", value) for value in values]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"
