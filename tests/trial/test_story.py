"""Whole tests: what they expect, and what they say when it is otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.trial.shop import SHOP, SITE, play, told

if TYPE_CHECKING:
    from pathlib import Path

RIGHT = f"""
{SITE}
expect:
- {{at: 2m, alert: shop/site down, state: pending}}
- {{at: 2m20s, alert: shop/site down, state: critical}}
- {{at: 2m20s, told: [ops, oncall], kind: opened, severity: critical, text: "CRITICAL: shop: site: down", within: 2s}}
- {{at: 2m40s, alert: shop/site down, state: ok}}
- {{at: 2m40s, told: [ops, oncall], alert: shop/site down, kind: resolved, within: 61s}}
messages: {{ops: 2, oncall: 2}}
"""


async def test_a_story_that_is_right_says_nothing(tmp_path: Path) -> None:
    assert await told(tmp_path, RIGHT) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "expected", "came"),
    [
        ("state: pending", "state: ok", 6, "2 min: shop/site down is ok", "it was pending"),
        ("at: 2m20s, alert: shop/site down", "at: 2m10s, alert: shop/site down", 7, "critical", "it was pending"),
        ("ops: 2", "ops: 1", 11, "ops gets 1 message", "it got 2"),
        ("within: 61s", "within: 1s", 10, "2 min 40 s: ops is told of shop/site down: resolved", "3 min 21 s: ops: "),
        ("severity: critical", "severity: warning", 8, "ops is told: warning opened", "critical opened"),
        ("kind: opened", "kind: repeated", 8, "ops is told: critical repeated", "critical opened"),
        ("CRITICAL: shop", "Critical: shop", 8, "saying 'Critical", "2 min 21 s: ops: critical opened, 'CRITICAL"),
        ("told: [ops, oncall], kind", "told: ops, kind", 3, "no other message leaves", "oncall: critical opened"),
        ("timeout)x3", "timeout)x2", 7, "critical", "it was ok"),
    ],
)
async def test_what_is_otherwise_is_told_with_its_line_and_what_came(
    tmp_path: Path, old: str, new: str, line: int, expected: str, came: str
) -> None:
    assert old in RIGHT
    found = await told(tmp_path, RIGHT.replace(old, new, 1))
    assert any(at == line and expected in what and any(came in one for one in lines) for at, what, lines in found), (
        found
    )


async def test_an_alert_that_nobody_expects_fails_a_story_that_tells_only_of_alerts(tmp_path: Path) -> None:
    story = f"{SITE}\nexpect: [{{at: 2m, alert: shop/cart down, state: ok}}]"
    assert await told(tmp_path, story) == [
        (3, "no other alert fires", ("2 min 20 s: shop/site down is critical",)),
    ]
    assert await told(tmp_path, f"{story}\nnothing_else: false") == []


async def test_silence_can_be_expected(tmp_path: Path) -> None:
    assert await told(tmp_path, "results: {shop/site: up down x2 up x5}\nexpect: [{told: nobody}]") == []
    found = await told(tmp_path, f"{SITE}\nexpect: [{{told: nobody}}]")
    assert [expected for _, expected, _ in found] == ["no message leaves", "no other alert fires"]


async def test_reminders_come_to_the_second(tmp_path: Path) -> None:
    story = """
results: {shop/site: down}
until: 65m
expect:
- {at: 20s, told: [ops, oncall], kind: opened}
- {at: 30m20s, told: [ops, oncall], kind: repeated}
- {at: 60m20s, told: [ops, oncall], kind: repeated}
"""
    assert await told(tmp_path, story) == []


async def test_a_check_that_does_not_run_has_no_data_after_three_intervals(tmp_path: Path) -> None:
    """The newest run is at 2:00; three intervals are 90 s."""
    story = """
results: {shop/site: up for 2m30s nothing for 10m up x4}
expect:
- {at: 3m29s, alert: shop/site no data, state: ok}
- {at: 3m30s, alert: shop/site no data, state: warning}
- {at: 13m, alert: shop/site no data, state: ok}
- {at: 3m30s, told: ops, alert: shop/site no data, kind: opened}
- {at: 12m30s, told: ops, alert: shop/site no data, kind: resolved}
"""
    assert await told(tmp_path, story) == []


async def test_unknown_and_skipped_runs_decide_nothing(tmp_path: Path) -> None:
    story = """
results: {shop/site: up down x2 unknown(dns) skipped down up x4}
expect:
- {at: 89s, alert: shop/site down, state: pending}
- {at: 90s, alert: shop/site down, state: critical}
"""
    assert await told(tmp_path, story) == []


async def test_what_a_check_needs_is_asked_again_and_explains_its_failure(tmp_path: Path) -> None:
    """Both fail at once: only what is at the bottom of it is told."""
    story = """
results: {shop/cart: up x2 down x5 up x3, shop/site: up x2 down x5 up x3}
expect:
- {at: 80s, alert: shop/cart down, state: critical}
- {at: 80s, told: [ops, oncall], alert: shop/site down, kind: opened}
- {at: 2m, told: [ops, oncall], alert: shop/site down, kind: resolved, within: 62s}
"""
    assert await told(tmp_path, story) == []


async def test_a_channel_that_is_away_is_told_later_and_its_fallback_meanwhile(tmp_path: Path) -> None:
    story = """
channels: {oncall: fails for 3m takes}
routes: []
""".replace("routes: []\n", "")
    story += """
results: {shop/site: down for 10m}
expect:
- {at: 20s, told: ops, kind: opened}
- {at: 3m, told: oncall, kind: opened, within: 5m}
"""
    assert await told(tmp_path, story) == []


async def test_a_channel_that_refuses_is_told_nothing(tmp_path: Path) -> None:
    story = """
channels: {oncall: refuses}
results: {shop/site: down for 5m}
expect: [{at: 20s, told: ops, kind: opened}]
messages: {oncall: 0}
"""
    assert await told(tmp_path, story) == []


async def test_measures_have_labels_units_and_gaps(tmp_path: Path) -> None:
    """A series that is gone is clear; one that could not be taken leaves its alert open."""
    story = """
results:
  shop/database:
    'connections{state="idle"}': 5x2 11x2 - x2 11x2 unmeasured x2 5x3
    connection_share: 50%..70% x10
expect:
- {at: 1m, alert: shop/database idle, state: ok}
- {at: 2m, alert: shop/database idle, state: warning, labels: {state: idle}}
- {at: 4m, alert: shop/database idle, state: ok}
- {at: 7m, alert: shop/database idle, state: warning}
- {at: 9m, alert: shop/database idle, state: warning}
- {at: 10m, alert: shop/database idle, state: ok}
"""
    assert await told(tmp_path, story) == []


async def test_a_ramp_crosses_a_figure_on_its_way(tmp_path: Path) -> None:
    """From 60 % to 100 % in 20 minutes: more than 80 % from the eleventh on, and two minutes later it fires."""
    story = """
results: {shop/database: {connection_share: 60%..100% for 20m}}
expect:
- {at: 10m, alert: shop/database connections, state: ok}
- {at: 11m, alert: shop/database connections, state: pending}
- {at: 13m, alert: shop/database connections, state: warning}
- {at: 20m, alert: shop/database connections, state: critical}
"""
    assert await told(tmp_path, story) == []


async def test_another_pace_and_a_certificate(tmp_path: Path) -> None:
    """The expiry is the time left at each run; what has another pace has no data only after three of those."""
    story = """
results: {shop/site: {every: 10m, expiry: 30d 20d x2 5d x2, state: up x3 down x2 up x2, detail: the proxy is gone}}
expect:
- {at: 10m, alert: shop/site certificate, state: warning}
- {at: 30m10s, alert: shop/site down, state: pending}
- {at: 30m, alert: shop/site certificate, state: critical}
"""
    assert await told(tmp_path, story) == []


async def test_the_past_can_be_given(tmp_path: Path) -> None:
    story = """
start: 2026-01-05 02:00 Europe/Berlin
past: {shop/mail: {'sent{kind="order"}': 100}}
results: {shop/mail: {'sent{kind="order"}': 150 for 1h 900 for 2h}}
expect:
- {at: 50m, alert: shop/mail unusual, state: ok}
- {at: 2h, alert: shop/mail unusual, state: info}
"""
    assert await told(tmp_path, story) == []


async def test_a_counter_is_written_as_its_pace(tmp_path: Path) -> None:
    config = (
        SHOP
        + """
      jobs:
        kind: sql
        dsn: postgresql://shop.example.com/shop
        query: SELECT done FROM jobs
        measures: {done: number}
        every: 1m
        thresholds: [{watch: "increase(done, 10m)", name: many, warning: "> 700"}]
"""
    )
    story = """
tests:
- name: jobs
  results: {shop/jobs: {done: 1/s for 15m 2/s}}
  expect: [{at: 15m, alert: shop/jobs many, state: ok}, {at: 18m, alert: shop/jobs many, state: warning}]
"""
    (outcome,) = await play(tmp_path, story, config)
    assert outcome.passed, outcome.failures


async def test_what_is_acknowledged_is_not_repeated_and_escalates_nowhere(tmp_path: Path) -> None:
    story = """
results: {shop/site: down for 70m up x2}
acts: [{at: 10m, ack: shop/site down, who: ada, why: I look at it, for: 2h}]
expect:
- {at: 20s, told: [ops, oncall], kind: opened}
- {at: 10m, told: [ops, oncall], kind: acknowledged}
- {at: 70m10s, told: [ops, oncall], kind: resolved}
"""
    assert await told(tmp_path, story) == []


async def test_what_is_silenced_is_told_when_the_silence_ends(tmp_path: Path) -> None:
    story = """
results: {shop/site: up for 5m down for 30m up x2}
acts: [{at: 1m, silence: shop, for: 20m, who: ada, why: we move}]
expect:
- {at: 21m, alert: shop/site down, state: critical}
- {at: 21m, told: [ops, oncall], kind: opened}
- {at: 35m10s, told: [ops, oncall], kind: resolved}
"""
    assert await told(tmp_path, story) == []
    lifted = story.replace("why: we move}", "why: we move}, {at: 10m, lift: shop}").replace("21m, told", "10m, told")
    assert await told(tmp_path, lifted) == []


async def test_a_maintenance_of_the_file_is_announced_and_looked_after(tmp_path: Path) -> None:
    """Its announcement is expected as an alert of that name; what fails meanwhile is told at its end."""
    config = SHOP.replace(
        "  shop:\n",
        """  shop:
    maintenance:
      - {title: Moving, at: "2026-01-05 14:00", for: 1h, announce: {notify: ops, before: 90m}}
""",
    )
    story = """
tests:
- name: moving
  results: {shop/site: up for 150m down for 50m up}
  expect:
  - {at: 30m, told: ops, alert: shop/maintenance maintenance, kind: announced, text: Moving}
  - {at: 3h, told: ops, alert: shop/maintenance maintenance, kind: announced, text: is over}
  - {at: 3h, told: [ops, oncall], alert: shop/site down, kind: opened, within: 62s}
  - {at: 3h20m10s, told: [ops, oncall], alert: shop/site down, kind: resolved}
"""
    (outcome,) = await play(tmp_path, story, config)
    assert outcome.passed, outcome.failures


async def test_a_test_takes_next_to_no_time(tmp_path: Path) -> None:
    """A day of two checks, one of which is down for six hours."""
    (outcome,) = await play(
        tmp_path,
        """
tests:
- name: a day
  results: {shop/site: up for 12h down for 6h up, shop/database: {connection_share: 50%}}
  until: 1d
  nothing_else: false
  expect: [{at: 13h, alert: shop/site down, state: critical}]
""",
    )
    assert outcome.passed
    assert outcome.lasted.total_seconds() >= 86_400
    assert outcome.seconds < 20
