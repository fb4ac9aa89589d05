"""The documentation of alerts is as the code is."""

from __future__ import annotations

from pathlib import Path

from monitor.alerts import TABLE
from monitor.diagram import state_diagram

PAGE = Path(__file__).parent.parent / "docs" / "alerts.md"


def test_the_page_shows_the_table_as_it_is() -> None:
    """To renew it: put what `monitor.diagram.state_diagram()` returns between the fences."""
    assert f"```mermaid\n{state_diagram()}\n```" in PAGE.read_text()


def test_every_change_is_an_arrow() -> None:
    """And nothing else is."""
    changes = {(phase, after) for (phase, _), after in TABLE.items() if phase is not after}
    arrows = [line for line in state_diagram().splitlines() if "-->" in line and "[*]" not in line]
    assert len(arrows) == len(changes)
