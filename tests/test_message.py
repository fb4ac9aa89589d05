from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.message import BLOCKS, GAP, IN_FULL, LISTED, as_text, message_of, sparkline
from monitor.model import Acknowledgement, EventKind, Severity
from tests.channels.examples import NOW, delivery, notification, page, storm

TITLE = "CapLiquify: Back end health: down"


def test_the_whole_text_of_a_page() -> None:
    """Read at three in the morning: what, how bad, since when and what to do stand in the first line."""
    about = page(value="612 ms", figure="p95(duration, 5m), critical > 500ms")
    assert as_text(message_of(delivery(notification(about=about)))) == (
        "CRITICAL: CapLiquify: Back end health: down, since 03:12 UTC (45 s). "
        "Do: Look at the latest deploy; roll back if it began there.\n"
        "\n"
        "status: expected 200, got 502\n"
        "\n"
        "Value: 612 ms\n"
        "Figure: p95(duration, 5m), critical > 500ms\n"
        "Last hour: ▁▁▂·▅█\n"
        "At that time: CapLiquify: Database: no data\n"
        "Alert: capliquify/backend down, as of 03:12 UTC\n"
        "\n"
        "What to do\n"
        "1. Look at the latest deploy; roll back if it began there.\n"
        "2. See who holds the connections.\n"
        "\n"
        "Runbook: https://example.com/runbook\n"
    )


@pytest.mark.parametrize(
    ("kind", "severity", "lead"),
    [
        (EventKind.OPENED, Severity.CRITICAL, f"CRITICAL: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.OPENED, Severity.WARNING, f"Warning: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.OPENED, Severity.INFO, f"Info: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.WORSENED, Severity.CRITICAL, f"Worse, now CRITICAL: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.WORSENED, Severity.WARNING, f"Worse, now warning: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.EASED, Severity.WARNING, f"Eased to warning: {TITLE}, since 01:12 UTC (2 h)."),
        (EventKind.REPEATED, Severity.CRITICAL, f"Still critical after 2 h: {TITLE}, since 01:12 UTC."),
        (EventKind.RESOLVED, Severity.CRITICAL, f"Resolved after 2 h: {TITLE}, from 01:12 to 03:12 UTC."),
        (EventKind.REMOVED, Severity.CRITICAL, f"Removed from the configuration: {TITLE}, from 01:12 to 03:12 UTC."),
    ],
)
def test_the_first_line_says_what_happened_and_never_changes_the_title(
    kind: EventKind, severity: Severity, lead: str
) -> None:
    about = page(since=NOW - timedelta(hours=2), remedy=())
    assert message_of(delivery(notification(kind=kind, severity=severity, about=about))).lead == lead


@pytest.mark.parametrize(
    ("since", "when"),
    [
        (timedelta(), "since 03:12 UTC"),
        (timedelta(milliseconds=400), "since 03:12 UTC"),
        (timedelta(seconds=-30), "since 03:13 UTC"),
        (timedelta(minutes=4, seconds=10.4), "since 03:08 UTC (4 min 10 s)"),
        (timedelta(hours=5), "since 20 Nov 22:12 UTC (5 h)"),
        (timedelta(days=400), "since 17 Oct 2025 03:12 UTC (400 d)"),
    ],
)
def test_a_time_has_its_date_when_it_is_not_today(since: timedelta, when: str) -> None:
    message = message_of(delivery(notification(about=page(since=NOW - since))))
    assert message.entries[0].when == when


def test_a_resolve_over_midnight_has_the_date_where_it_is_needed() -> None:
    about = page(since=NOW - timedelta(hours=5), until=NOW + timedelta(minutes=2))
    message = message_of(delivery(notification(kind=EventKind.RESOLVED, about=about)))
    assert message.entries[0].line == f"Resolved after 5 h 2 min: {TITLE}, from 20 Nov 22:12 to 03:14 UTC."


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (EventKind.OPENED, f"CRITICAL: {TITLE}, at 03:12 UTC."),
        (EventKind.REPEATED, f"Still critical: {TITLE}, at 03:12 UTC."),
        (EventKind.RESOLVED, f"Resolved: {TITLE}, at 03:12 UTC."),
    ],
)
def test_an_alert_without_a_beginning_is_told_all_the_same(kind: EventKind, line: str) -> None:
    message = message_of(delivery(notification(kind=kind, about=page(since=None))))
    assert message.entries[0].line == line


def test_what_is_unusual_is_said() -> None:
    one = notification(kind=EventKind.RESOLVED, missed=True, fallback_for="ops")
    text = as_text(message_of(delivery(one, uncertain=True)))
    assert "Possibly repeated: this was sent while our database could not be reached.\n" in text
    assert "This is the first you hear of it: it was critical, but no earlier message got through.\n" in text
    assert "You get this because ops did not accept it.\n" in text


def test_a_page_with_hardly_anything_to_say_has_no_empty_parts() -> None:
    about = page(summary="", trend="", beside=(), remedy=("\u200b", " "), links=())
    assert as_text(message_of(delivery(notification(about=about)))) == (
        f"CRITICAL: {TITLE}, since 03:12 UTC (45 s).\n\nAlert: capliquify/backend down, as of 03:12 UTC\n"
    )


def test_many_that_began_at_once_are_counted() -> None:
    about = page(beside=tuple(f"Shop: Page {number}" for number in range(8)))
    facts = dict(message_of(delivery(notification(about=about))).entries[0].facts)
    assert facts["At that time"] == "Shop: Page 0; Shop: Page 1; Shop: Page 2; Shop: Page 3; Shop: Page 4; 3 more"


def test_a_step_of_several_lines_cannot_pass_for_a_line_of_ours() -> None:
    about = page(remedy=("Run\nResolved after 2 h: all is well", "Then rest"))
    text = as_text(message_of(delivery(notification(about=about))))
    assert "1. Run\n   Resolved after 2 h: all is well\n2. Then rest\n" in text


def test_one_step_needs_no_number() -> None:
    text = as_text(message_of(delivery(notification(about=page(remedy=("Run\nit",))))))
    assert "What to do\nRun\n   it\n" in text


def test_a_collected_message_counts_tells_and_names() -> None:
    text = as_text(message_of(storm(60)))
    lines = text.splitlines()
    assert lines[0].startswith("60 CRITICAL in shop. First: CRITICAL: Shop: Page 0: down, since 03:12 UTC (45 s). Do: ")
    assert sum(line == "What to do" for line in lines) == IN_FULL
    assert sum(line.startswith("- CRITICAL: Shop: Page ") for line in lines) == LISTED
    assert lines[-1].startswith("and 35 more: shop/page25, shop/page26, ")
    assert lines[-1].endswith(", shop/page59")


def test_the_worst_comes_first_and_what_has_ended_last() -> None:
    ended = notification(0, EventKind.RESOLVED, about=page(title="A"))
    warning = notification(1, severity=Severity.WARNING, about=page(title="B"))
    critical = notification(2, about=page(title="C"))
    older = replace(notification(3, about=page(title="D")), at=NOW - timedelta(minutes=1))
    message = message_of(delivery(ended, warning, critical, older))
    assert [entry.headline for entry in message.entries] == [
        "CRITICAL: D",
        "CRITICAL: C",
        "Warning: B",
        "Resolved after 45 s: A",
    ]
    assert message.headline == "2 CRITICAL, 1 warning, 1 resolved in capliquify"
    assert message.severity is Severity.CRITICAL


def test_a_message_of_which_all_has_ended_has_no_severity() -> None:
    ended = [notification(number, kind) for number, kind in enumerate((EventKind.RESOLVED, EventKind.REMOVED))]
    message = message_of(delivery(*ended))
    assert message.severity is None
    assert message.headline == "1 resolved, 1 removed in capliquify"


def test_a_name_says_what_has_ended_and_systems_beyond_a_few_are_counted() -> None:
    many = [notification(number, about=page(system=f"s{number:02}", check="c", alert="slow")) for number in range(30)]
    message = message_of(delivery(*many, notification(99, EventKind.RESOLVED)))
    assert message.headline == "30 CRITICAL, 1 resolved in s00, s01, s02, s03, s04 and 26 more"
    assert message.more == (
        "s25/c slow",
        "s26/c slow",
        "s27/c slow",
        "s28/c slow",
        "s29/c slow",
        "capliquify/backend down (resolved)",
    )


def test_a_shape_is_drawn_from_lowest_to_highest() -> None:
    assert sparkline([1, 2, 3, 4, 5, 6, 7, 8]) == BLOCKS
    assert sparkline([0, None, 10, math.nan, math.inf]) == "▁·█··"
    assert sparkline([5, 5]) == "▁▁"
    assert sparkline([-1e308, 0, 1e308, 1.7e308]) == "▁▄▆█"


@pytest.mark.parametrize("values", [[], [None], [math.nan, None, -math.inf]])
def test_nothing_but_gaps_has_no_shape(values: list[float | None]) -> None:
    assert sparkline(values) == ""


@given(st.lists(st.none() | st.floats(), max_size=60))
def test_a_shape_has_one_sign_for_each_value_in_their_order(values: list[float | None]) -> None:
    shape = sparkline(values)
    assert len(shape) in {0, len(values)}
    known = [
        (value, sign) for value, sign in zip(values, shape, strict=False) if value is not None and math.isfinite(value)
    ]
    assert [sign for _, sign in sorted(known)] == sorted(sign for _, sign in known)
    assert shape.count(GAP) == len(shape) - (len(known) if shape else 0)


TAKEN = Acknowledgement("ana", NOW - timedelta(minutes=9), Severity.CRITICAL, NOW + timedelta(hours=4), "looking")


@pytest.mark.parametrize(
    ("kind", "fields", "lead", "said"),
    [
        (
            EventKind.ESCALATED,
            {"rung": NOW - timedelta(minutes=15)},
            f"Escalated, nobody took it for 15 min: {TITLE}, since 01:12 UTC (2 h).",
            (),
        ),
        (EventKind.ESCALATED, {}, f"Escalated, nobody took it: {TITLE}, since 01:12 UTC (2 h).", ()),
        (
            EventKind.FLAPPING,
            {"changes": 4, "settles": timedelta(minutes=30)},
            f"Flapping: {TITLE} (4 changes in an hour), since 01:12 UTC (2 h).",
            ("Nothing more is said of it until it has been stable for 30 min.",),
        ),
        (EventKind.FLAPPING, {}, f"Flapping: {TITLE}, since 01:12 UTC (2 h).", ()),
        (
            EventKind.ACKNOWLEDGED,
            {"taken": TAKEN},
            f"Taken by ana until 07:12: {TITLE}, since 01:12 UTC (2 h).",
            ("Taken by ana since 03:03 until 07:12 UTC: looking",),
        ),
        (EventKind.ACKNOWLEDGED, {}, f"Taken: {TITLE}, since 01:12 UTC (2 h).", ()),
        (
            EventKind.REPEATED,
            {"taken": replace(TAKEN, why="", until=NOW + timedelta(days=1))},
            f"Still critical after 2 h: {TITLE}, since 01:12 UTC.",
            ("Taken by ana since 03:03 until 22 Nov 03:12 UTC",),
        ),
        (
            EventKind.LAPSED,
            {"taken": replace(TAKEN, at=NOW - timedelta(hours=4), until=NOW, who=" ")},
            f"No longer taken: {TITLE}, since 01:12 UTC (2 h).",
            ("It was taken by somebody from 20 Nov 23:12 to 03:12 UTC, and goes on: looking",),
        ),
        (EventKind.LAPSED, {}, f"No longer taken: {TITLE}, since 01:12 UTC (2 h).", ()),
        (
            EventKind.ANNOUNCED,
            {"since": NOW + timedelta(days=1), "until": NOW + timedelta(days=1, hours=2)},
            f"Announced: {TITLE}, from 22 Nov 03:12 to 05:12 UTC.",
            (),
        ),
        (EventKind.ANNOUNCED, {}, f"Announced: {TITLE}, since 01:12 UTC.", ()),
        (EventKind.ANSWERED, {}, f"Found: {TITLE}, since 01:12 UTC (2 h).", ()),
        (EventKind.SILENCED, {}, f"Silenced: {TITLE}, since 01:12 UTC (2 h).", ()),
        (EventKind.LIFTED, {}, f"No longer silenced: {TITLE}, since 01:12 UTC (2 h).", ()),
        (EventKind.NOTED, {}, f"Noted: {TITLE}, since 01:12 UTC (2 h).", ()),
        (
            EventKind.OPENED,
            {"before": ("rolled back (ana, 3 Nov)", "\u200b", "slept (bo, 2 Nov)", "never shown")},
            f"CRITICAL: {TITLE}, since 01:12 UTC (2 h).",
            ("Last time: rolled back (ana, 3 Nov); slept (bo, 2 Nov).",),
        ),
    ],
)
def test_what_people_do_and_what_follows_has_its_words(
    kind: EventKind, fields: dict[str, Any], lead: str, said: tuple[str, ...]
) -> None:
    about = page(**{"since": NOW - timedelta(hours=2), "remedy": ()} | fields)
    message = message_of(delivery(notification(kind=kind, about=about)))
    assert message.lead == lead
    assert message.entries[0].notes == said


def test_every_kind_of_message_can_be_told() -> None:
    for kind in EventKind:
        assert TITLE in message_of(delivery(notification(kind=kind))).lead


def test_an_answer_stands_below_its_step() -> None:
    about = page(remedy=("Look.", "See who.", "Rest."), answers=("", "25 in all:\n api 20, worker 5", ""))
    text = as_text(message_of(delivery(notification(kind=EventKind.ANSWERED, about=about))))
    assert "1. Look.\n2. See who.\n   → 25 in all: api 20, worker 5\n3. Rest.\n" in text


def test_the_first_line_has_the_answer_of_the_first_step() -> None:
    about = page(remedy=("See who.",), answers=("api 20",))
    assert message_of(delivery(notification(about=about))).lead.endswith(" Do: See who. → api 20")


def test_answers_without_steps_are_not_shown() -> None:
    about = page(remedy=("See who.", ""), answers=("", "of nothing", "left over"))
    assert message_of(delivery(notification(about=about))).entries[0].steps == ("See who.",)


def test_updates_are_counted_apart_and_come_after_what_rings() -> None:
    taken = notification(0, EventKind.ACKNOWLEDGED, about=page(title="A", taken=TAKEN))
    warning = notification(1, severity=Severity.WARNING, about=page(title="B"))
    flapping = notification(2, EventKind.FLAPPING, about=page(title="C"))
    ended = notification(3, EventKind.RESOLVED, about=page(title="D"))
    message = message_of(delivery(ended, taken, warning, flapping))
    assert message.headline == "1 flapping, 1 warning, 1 taken, 1 resolved in capliquify"
    assert [entry.headline for entry in message.entries] == [
        "Flapping: C",
        "Warning: B",
        "Taken by ana until 07:12: A",
        "Resolved after 45 s: D",
    ]
