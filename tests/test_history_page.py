"""The examples of docs/history.md are what the commands print of the story that tests know."""

from __future__ import annotations

import re
from pathlib import Path

from monitor.chronicle import as_lines
from monitor.live import as_line, live, title
from tests import story

PAGE = (Path(__file__).parents[1] / "docs/history.md").read_text("utf-8")


def examples(section: str) -> list[str]:
    """Return the outputs that a section of the page shows."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(r"^```text\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


def test_what_is_live_is_shown_as_it_is_printed() -> None:
    found = live(story.CHANGE.alerts, story.dispatches())
    width = max(len(title(one.alert)) for one in found)
    assert ["\n".join(as_line(one, width, story.MORNING) for one in found)] == examples("What is live")


def test_what_happened_is_shown_as_it_is_printed() -> None:
    assert ["\n".join(line for line, _ in as_lines(story.told()))] == examples("What happened")
