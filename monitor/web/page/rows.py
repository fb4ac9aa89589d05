"""The rows of the overview: made once for as long as a check stands as it does, since there may be a thousand."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from markupsafe import Markup

from monitor.web.page.foremost import figure_of, foremost

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import date

    from jinja2 import Template

    from monitor.model import CheckId
    from monitor.view import CheckView


class _Row(NamedTuple):
    view: CheckView
    today: date
    text: Markup


class Rows:
    """Makes rows, and remembers the last one of each check."""

    def __init__(self, template: Template) -> None:
        self._template = template
        self._rows: dict[CheckId, _Row] = {}

    def row(self, view: CheckView, today: date) -> Markup:
        """Return the row of a check; `today` tells which times need no date."""
        row = self._rows.get(view.id)
        if row is None or row.today != today or row.view != view:
            row = self._rows[view.id] = _Row(view, today, self._made(view, today))
        return row.text

    def keep(self, checks: Collection[CheckId]) -> None:
        """Forget every check but these."""
        for gone in self._rows.keys() - checks:
            del self._rows[gone]

    def _made(self, view: CheckView, today: date) -> Markup:
        figure = foremost(view.figures)
        against = figure_of(figure) if figure else ""
        return Markup(self._template.render(check=view, today=today, figure=figure, against=against))  # noqa: S704 - our template escapes
