"""The examples of docs/history.md are what the commands print of the story that tests know."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from monitor import rehearsal
from monitor.chronicle import as_lines
from monitor.config import load
from monitor.live import as_line, live, title
from monitor.model import Measure, State
from monitor.replay import Replayed, judge_again
from monitor.review import as_lines as review_lines
from monitor.review import read_week
from tests import story
from tests.examples import sample
from tests.plans import threshold
from tests.review.weeks import END, lived, runs
from tests.store.files import leading

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PAGE = (Path(__file__).parents[1] / "docs/history.md").read_text("utf-8")


def examples(section: str, form: str = "text") -> list[str]:
    """Return the outputs, or whatever else, that a section of the page shows."""
    (text,) = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    return re.findall(rf"^```{form}\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)


def test_what_is_live_is_shown_as_it_is_printed() -> None:
    found = live(story.CHANGE.alerts, story.dispatches())
    width = max(len(title(one.alert)) for one in found)
    assert ["\n".join(as_line(one, width, story.MORNING) for one in found)] == examples("What is live")


def test_what_happened_is_shown_as_it_is_printed() -> None:
    assert ["\n".join(line for line, _ in as_lines(story.told()))] == examples("What happened")


def test_what_other_figures_would_have_done_is_shown_as_it_is_printed(tmp_path: Path) -> None:
    """By the example's own file: of a slow hour and of a slow moment only the hour pages."""
    (file,) = examples("What other figures would have done", "yaml")
    (tmp_path / "changed.yaml").write_text(file, "utf-8")
    config = load(tmp_path / "changed.yaml", {})
    begin = story.MORNING - DAY
    runs = [sample(begin + n * MINUTE / 6, State.UP, Measure("duration", took(n))) for n in range(1, 8_641)]
    check = config.plans[story.SITE]
    before = replace(check, thresholds=(replace(threshold("duration", warning="> 1s"), name="slow"),))
    did, _ = judge_again(story.SITE, {story.SITE: before}, config.routes, runs, begin)
    would, moments = judge_again(story.SITE, {story.SITE: check}, config.routes, runs, begin)
    told = Replayed(story.SITE, begin, story.MORNING, moments[0], len(moments), would, did)
    assert ["\n".join(line for line, _ in rehearsal.as_lines(told))] == examples("What other figures would have done")


async def test_the_week_is_shown_as_it_is_printed(tmp_path: Path) -> None:
    """By the example's own file: four slow spells, of which ana took the worst."""
    (file,) = examples("The week", "yaml")
    (tmp_path / "monitor.yaml").write_text(file, "utf-8")
    rule = load(tmp_path / "monitor.yaml", {}).plans[story.SITE]
    slow = [one for hour, peak in ((3, 0.45), (20, 0.62), (50, 0.712), (90, 2.3)) for one in runs(hour, *[peak] * 12)]
    store = await leading(tmp_path / "monitor.db")
    await lived(store, rule, slow, [END - 54 * HOUR + 3 * MINUTE])
    await store.tidy(END)
    week = await read_week(store, {rule.id: rule}, END)
    await store.close()
    assert ["\n".join(line for line, _ in review_lines(week))] == examples("The week")


def took(number: int) -> float:
    """Return how long the page took in the run of that number, one every 10 s."""
    if 2_000 <= number < 2_360:
        return 4.0
    return 1.4 if number in {5_000, 7_000, 7_001} else 0.2
