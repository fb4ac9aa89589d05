"""A file of tests that cannot be used says where, what, and what is allowed: everything at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitor.faults import ConfigError
from monitor.trial import read_trials
from monitor.trial.moments import parse_start
from tests.trial.shop import write

if TYPE_CHECKING:
    from pathlib import Path

STORY = "tests:\n- name: a\n  results: {shop/site: up}\n  expect: [{told: nobody}]\n  "


def story(**fields: str) -> str:
    """Return a file with one test, some of its fields written otherwise."""
    known = {"results": "{shop/site: up}", "expect": "[{told: nobody}]"} | fields
    return "tests:\n- name: a\n" + "".join(f"  {name}: {value}\n" for name, value in known.items())


def rules(text: str) -> str:
    return f"rules: {text}"


@pytest.mark.parametrize(
    ("tests", "fault"),
    [
        ("", "holds no test; give it rules or tests"),
        ("colour: red", "colour: unknown key; allowed: config, system, rules, tests"),
        ("system: shp\nrules: {site: {down: {critical: 3}}}", "there is no system 'shp'"),
        (rules("{shop/sit: {down: {critical: 3}}}"), "there is no check 'shop/sit'; did you mean shop/site?"),
        (rules("{site: {down: {critical: 3}}}"), "there is no check 'site'"),
        (rules("{shop/site: {dwn: {critical: 3}}}"), "shop/site has no threshold 'dwn'; did you mean down?"),
        (rules("{shop/site: {down: {warning: 3}}}"), "has no such level of being down; it has critical"),
        (rules("{shop/site: {down: {critical: often}}}"), "must be how many failed runs in a row it takes"),
        (rules("{shop/database: {idle: {critical: 1 | 2}}}"), "has no such level; it has warning"),
        (rules("{shop/database: {idle: {warning: 10}}}"), "write the value that is silent and the one that fires"),
        (rules("{shop/database: {idle: {warning: 10 | 10}}}"), "nothing can be silent and fire at one value"),
        (rules("{shop/database: {connections: {warning: 80 | 81}}}"), "'80' is not a share such as 80%"),
        (rules("{shop/database: {idle: {warning: 10 | 11 after soon}}}"), "'soon' is not a duration"),
        (story(expect="[]"), "expects nothing; give it expect, or messages"),
        (story(start="tomorrow"), "'tomorrow' is no moment such as 2026-01-05 02:00 Europe/Berlin"),
        (story(results="{shop/sit: up}"), "there is no check 'shop/sit'"),
        (story(results="{shop/site: upp}"), "'upp' is not what a run finds, which is up, down"),
        (story(results="{shop/site: down(dsn)}"), "'dsn' is no reason; did you mean dns?"),
        (story(results="{shop/site: 'up xx'}"), "'xx' is not what a run finds"),
        (story(results="{shop/site: ' '}"), "begins with no term"),
        (story(results="{shop/site: up for ages}"), "'ages' is not a duration"),
        (story(results="{shop/site: {durtion: 1s}}"), "has no measure 'durtion'; did you mean duration?"),
        (story(results="{shop/site: {'avg(duration, 5m)': 1s}}"), "has no measure 'avg(duration, 5m)'"),
        (story(results="{shop/site: {'duration{': 1s}}"), "'duration{' is no measure"),
        (story(results="{shop/site: {duration: 1}}"), "'1' is not a duration"),
        (story(results="{shop/site: {every: often}}"), "'often' is not a duration"),
        (
            story(results="{shop/database: {'connections{stat=\"idle\"}': 1}}"),
            "has no label 'stat'; did you mean state?",
        ),
        (story(past="{shop/site: {duration: 1}}"), "'1' is not a duration"),
        (story(past="{shop/site: {durtion: 1}}"), "has no measure 'durtion'"),
        (story(channels="{opps: takes}"), "there is no channel 'opps'; did you mean ops?"),
        (story(channels="{ops: sulks}"), "'sulks' is not how a channel behaves; allowed: takes, fails, refuses"),
        (story(messages="{opps: 1}"), "there is no channel 'opps'"),
        (story(expect="[{at: 1m, told: opps}]"), "there is no channel 'opps'"),
        (story(expect="[{told: ops}]"), "must say when, and either state or told"),
        (story(expect="[{at: 1m}]"), "must say when, and either state or told"),
        (story(expect="[{at: 1m, state: ok}]"), "must name the alert that is so"),
        (story(expect="[{told: nobody}, {at: 1m, told: ops}]"), "both that nobody is told and that somebody is"),
        (story(expect="[{at: 1m, alert: shop/sit down, state: ok}]"), "there is no check 'shop/sit'"),
        (
            story(expect="[{at: 1m, alert: shop/site don, state: ok}]"),
            "shop/site has no alert 'don'; did you mean down?",
        ),
        (story(expect="[{at: 1m, alert: monitor/probes blnd, state: ok}]"), "did you mean blind?"),
        (story(expect="[{at: 1m, alert: shop/site down, state: red}]"), "'red' is not allowed"),
        (story(acts="[{at: 1m, ack: shop/site, silence: shop}]"), "must be one act"),
        (story(acts="[{at: 1m, silence: shp}]"), "there is no 'shp'; did you mean shop?"),
    ],
)
def test_a_mistake_names_file_line_and_what_is_allowed(tmp_path: Path, tests: str, fault: str) -> None:
    file = write(tmp_path, tests)
    with pytest.raises(ConfigError) as caught:
        read_trials([file], None, tmp_path)
    assert [str(one) for one in caught.value.faults if str(one).startswith(f"{file}:") and fault in str(one)], [
        str(one) for one in caught.value.faults
    ]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    file, other, gone = write(tmp_path, story(start="now")), tmp_path / "other.yaml", tmp_path / "gone.yaml"
    other.write_text(f"config: nowhere.yaml\n{story()}", "utf-8")
    with pytest.raises(ConfigError) as caught:
        read_trials([file, other, gone], None, tmp_path)
    assert len({one.file for one in caught.value.faults}) == 3


def test_acts_are_what_people_do(tmp_path: Path) -> None:
    """By whom, on what, until when; in the order of their moments."""
    acts = (
        "[{at: 5m, silence: everything, for: 1h, maintenance: true, who: ada}, {at: 1m, ack: shop/site down},"
        " {at: 2m, lift: shop}, {at: 3m, note: shop down, why: it healed}]"
    )
    (trial,) = read_trials([write(tmp_path, story(acts=acts))], None, tmp_path)
    stage = trial.cases[0].parts[0].stage
    assert [(str(at), str(act.deed), str(act.scope)) for at, act in stage.acts] == [
        ("0:01:00", "acknowledge", "shop/site down"),
        ("0:02:00", "lift", "shop"),
        ("0:03:00", "note", "shop down"),
        ("0:05:00", "silence", "everything"),
    ]
    last = stage.acts[-1][1]
    assert (last.who, last.maintenance, str(last.until)) == ("ada", True, "2026-01-05 13:05:00+00:00")


@pytest.mark.parametrize("text", ["2026-13-01 12:00", "2026-01-05", "2026-01-05 12:00 Mars/Base", "soon", ""])
def test_a_start_is_a_moment_in_a_zone(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment such as"):
        parse_start(text)


def test_a_start_without_a_zone_is_in_utc() -> None:
    assert str(parse_start("2026-07-05 12:00 Europe/Berlin")) == "2026-07-05 10:00:00+00:00"
    assert parse_start("2026-07-05 12:00") == parse_start("2026-07-05T12:00:00Z")
