"""What is written, read as the daemon reads it; and surveys to write."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yarl import URL

from monitor.config import load
from monitor.survey.found import Place, Samples, Survey, Transport
from monitor.survey.written import main_text, system_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from monitor.config import Config

DAY = date(2026, 11, 22)
SITE = URL("https://shop.example.com/")
TIMES = tuple(0.02 + n / 1_000 for n in range(20))


def loaded(text: str, environ: Mapping[str, str] | None = None, *, placeholders: bool = False) -> Config:
    """Return what a system's file beside the first main file means."""
    with tempfile.TemporaryDirectory() as folder:
        there = Path(folder)
        (there / "systems").mkdir()
        (there / "monitor.yaml").write_text(main_text(), "utf-8")
        (there / "systems" / "shop.yaml").write_text(text, "utf-8")
        return load(there, environ or {}, placeholders=placeholders)


def place(path: str = "/", **fields: Any) -> Place:  # noqa: ANN401 - any field
    """Return a page, unless it is told otherwise."""
    usual = Place(SITE.with_path(path), 200, "text/html", 1_234, samples=Samples(TIMES, {}))
    return replace(usual, **fields)


def survey(**fields: Any) -> Survey:  # noqa: ANN401 - any field
    """Return a survey of a page and nothing else."""
    usual = Survey(SITE, DAY, place(), Transport((1, 1), expires=60, issuer="CN=R11,O=Let's Encrypt"))
    return replace(usual, **fields)


def checks(found: Survey) -> dict[str, Any]:
    """Return the checks of the file that a survey becomes."""
    return {plan.id.check: plan.check for plan in loaded(system_text(found, "shop")).plans.values()}
