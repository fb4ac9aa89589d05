"""The kind `age`: days in the file against the clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import load
from monitor.doubts import doubts
from monitor.model import CheckId, Reason, State
from monitor.probes import load_kind
from monitor.probes.age import AgeCheck
from monitor.probes.age.calendar import MONTHS, Interval, midnight
from monitor.probes.base import observe
from monitor.settings import read_settings
from tests.fakes import START, FakeClock

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import Sample
    from monitor.probes.base import Resources

CHECK = CheckId("shop", "secrets")
DAY = timedelta(days=1)
DAYS = st.dates(date(1, 1, 1), date(9000, 1, 1))


def made(**items: Any) -> AgeCheck:  # noqa: ANN401 - any fields
    check = load_kind("age").model_validate({"kind": "age", "items": items})
    assert isinstance(check, AgeCheck)
    return check


async def look(check: AgeCheck, resources: Resources, at: datetime = START) -> Sample:
    return await observe(CHECK, check, resources, FakeClock(at))


def measured(sample: Sample, name: str) -> dict[str, float]:
    return {dict(each.labels)["item"]: each.value for each in sample.measures if each.name == name}


@pytest.mark.parametrize(
    ("item", "said"),
    [
        ({}, "give due, or set and every"),
        ({"set": "2026-01-01"}, "give due, or set and every"),
        ({"every": "90d"}, "give set too"),
        ({"due": "2026-01-01", "set": "2025-01-01", "every": "90d"}, "give due, or set and every"),
        ({"due": "2026-01-01", "set": "2026-01-02"}, "due before it was made"),
        ({"due": "20260101"}, "a day is written as 2026-09-01"),
        ({"due": "2026-W01-1"}, "a day is written as 2026-09-01"),
        ({"due": 20260101}, "a day is written as 2026-09-01"),
        ({"due": "2026-02-30"}, "2026-02-30 is a day that no calendar has"),
        ({"set": "2026-01-01", "every": "90"}, "not a duration"),
        ({"set": "2026-01-01", "every": 90}, "90 is not a period of whole days, such as 90d, nor one of monthly"),
        ({"set": "2026-01-01", "every": "36h"}, "whole days"),
        ({"set": "2026-01-01", "every": "0d"}, "whole days"),
        ({"set": "2026-01-01", "every": "biannually"}, "not a duration"),
        ({"set": "9999-12-01", "every": "quarterly"}, "due after the year 9999"),
        ({"set": "9999-12-01", "every": "90d"}, "due after the year 9999"),
    ],
)
def test_what_makes_no_sense_is_refused(item: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"(?s){said}"):
        made(key=item)
    with pytest.raises(ValueError, match="at least 1 item"):
        made()


@given(day=DAYS, days=st.integers(1, 3650))
def test_days_are_days(day: date, days: int) -> None:
    assert Interval("", days=days).after(day) - day == days * DAY


@given(day=DAYS, months=st.sampled_from(sorted(MONTHS.values())))
def test_a_month_later_is_the_same_day_or_the_last_of_its_month(day: date, months: int) -> None:
    later = Interval("", months=months).after(day)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + DAY).day == 1)


@given(day=DAYS, other=DAYS, months=st.sampled_from([0, *MONTHS.values()]))
def test_what_was_made_later_is_due_no_earlier(day: date, other: date, months: int) -> None:
    interval = Interval("", months=months, days=0 if months else 90)
    first, second = sorted((day, other))
    assert first < interval.after(first) <= interval.after(second)


@pytest.mark.parametrize(
    ("day", "period", "due"),
    [
        ("2026-09-01", "90d", "2026-11-30"),
        ("2026-01-31", "monthly", "2026-02-28"),
        ("2027-11-30", "quarterly", "2028-02-29"),
        ("2026-08-31", "half-yearly", "2027-02-28"),
        ("2028-02-29", "yearly", "2029-02-28"),
        ("2026-12-31", "2w", "2027-01-14"),
    ],
)
async def test_when_it_is_due(day: str, period: str, due: str, resources: Resources) -> None:
    sample = await look(made(key={"set": day, "every": period}), resources, datetime(2028, 3, 1, tzinfo=UTC))
    assert measured(sample, "due") == {"key": midnight(date.fromisoformat(due)).timestamp()}
    assert sample.remarks["due"] == f"key is due on {due}, set {day} for {period}"


async def test_several_things(resources: Resources) -> None:
    """Each has its own time; the message names the three that are due first."""
    check = made(
        stripe_key={"set": "2026-01-01", "every": "quarterly"},
        token={"due": "2026-02-01"},
        licence={"set": "2025-06-01", "due": "2026-06-01"},
        certificate={"due": "2025-12-31"},
    )
    sample = await look(check, resources)
    assert sample.state is State.UP
    assert measured(sample, "due").keys() == check.items.keys()
    assert measured(sample, "age") == {"stripe_key": 4.5 * 86_400, "licence": 218.5 * 86_400}
    assert sample.remarks["due"] == (
        "certificate is due on 2025-12-31; token is due on 2026-02-01; "
        "stripe_key is due on 2026-04-01, set 2026-01-01 for quarterly"
    )


@pytest.mark.parametrize(("ahead", "wrong"), [(timedelta(), False), (DAY, False), (2 * DAY, True)])
async def test_what_is_of_the_future_is_unknown(ahead: timedelta, *, wrong: bool, resources: Resources) -> None:
    """A year mistyped would never be due. Where the day begins earlier than in UTC, tomorrow is today."""
    day = (START + ahead).date()
    sample = await look(made(key={"set": f"{day}", "every": "90d"}, token={"due": "2026-02-01"}), resources)
    assert (sample.state is State.UNKNOWN) is wrong
    assert ("key" in measured(sample, "due")) is not wrong
    assert "token" in measured(sample, "due")
    if wrong:
        assert (sample.reason, sample.detail) == (
            Reason.UNKNOWN,
            f"key is said to have been set on {day}, which has not come yet",
        )
    alone = await look(made(key={"set": f"{day}", "every": "90d"}), resources)
    assert ("due" in alone.remarks) is not wrong


def test_the_future_is_a_doubt_of_validate(tmp_path: Path) -> None:
    items = "{key: {set: 2062-01-01, every: 90d}, token: {due: 2062-01-01}, old: {set: 2025-01-01, every: yearly}}"
    (tmp_path / "shop.yaml").write_text(
        f"system: shop\nchecks: {{secrets: {{kind: age, items: {items}}}}}\n", encoding="utf-8"
    )
    config = load(tmp_path / "shop.yaml", {})
    found = [each.message for each in doubts(config, read_settings(), {}, START) if each.key == str(CHECK)]
    assert found == ["key is said to have been set on 2062-01-01, which has not come yet"]


def test_it_asks_nobody() -> None:
    check = made(key={"due": "2026-02-01"})
    assert (check.host, check.asks, check.alone, list(check.doubts())) == ("", (), "", [])
    assert [(each.watch, each.info, each.warning) for each in check.implied()] == [("due", "< 14d", "<= 0s")]
    assert check.implied()[0].remedy
    assert not check.model_copy(update={"remedy": "Do this."}).implied()[0].remedy
