"""The dashboards as files: current, valid for the schema, laid out without overlaps, and asking for what there is."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards.__main__ import ALL, FOLDER, main, written
from tests.dashboards.boards import FILES, boards, used
from tests.dashboards.catalogue import catalogue, names, patterns

if TYPE_CHECKING:
    from pathlib import Path

    from tests.dashboards.boards import Board

BOARDS = boards()
EVERY = pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.name)
WIDTH = 24
GIVEN = {"__rate_interval", "__range", "__url_time_range"}
"""What Grafana itself fills in, besides fields (`${__field.labels.system}`)."""
UNITS = {
    *("short", "none", "percentunit", "bytes", "s", "ops", "cps", "cpm"),
    *("dateTimeFromNow", "dateTimeAsIso"),
}
"""Of Grafana's units (packages/grafana-data/src/valueFormats/categories.ts), what we use."""
ADDED = {"target", "step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"}
"""What Grafana's Prometheus source reads of an annotation and the SDK does not know."""
LEVEL = re.compile(r'level="|, level\)')


def test_the_files_are_what_the_code_writes() -> None:
    """Otherwise: `make dashboards`."""
    assert {path.name: path.read_text("utf-8") for path in FILES} == written()
    assert len(FILES) == len(ALL) == 5


def test_writing_removes_what_is_no_dashboard_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "old.json").write_text("{}")
    monkeypatch.setattr("dashboards.__main__.FOLDER", tmp_path)
    main()
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in FILES]


def test_what_tells_them_apart() -> None:
    """Stable, unique, of the length that Grafana takes."""
    assert FILES[0].parent == FOLDER
    uids = [board.json["uid"] for board in BOARDS]
    assert uids == [f"monitor-{board.name}" for board in BOARDS]
    assert all(re.fullmatch(r"[a-z-]{8,40}", uid) for uid in uids)
    assert len({board.json["title"] for board in BOARDS}) == len(BOARDS)


@EVERY
def test_the_schema_knows_every_field(board: Board) -> None:
    """Read into Grafana's own model and written again, nothing is lost: a field with a slip in it would be."""
    register_default_plugins()
    known = json.loads(json.dumps(Dashboard.from_json(board.json), cls=JSONEncoder))
    for mark, kept in zip(board.annotations, known["annotations"]["list"], strict=True):
        assert mark["target"]["expr"] == mark["expr"]
        assert {name: kept.get(name, value) if name not in ADDED else value for name, value in mark.items()} == mark
    assert {**known, "annotations": {}} == {**board.json, "annotations": {}}
    assert board.json["schemaVersion"] == 39


@EVERY
def test_the_panels_fill_the_grid_and_do_not_overlap(board: Board) -> None:
    """Rows from edge to edge, one below the other, each under its heading."""
    cells = [panel["gridPos"] for panel in board.json["panels"]]
    for one, other in combinations(cells, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)
    widths = Counter[int]()
    for cell in cells:
        assert cell["w"] >= 4
        assert 0 <= cell["x"] <= WIDTH - cell["w"]
        widths[cell["y"]] += cell["w"]
    assert set(widths.values()) == {WIDTH}
    heights = {cell["y"]: cell["h"] for cell in cells}
    assert all(below == above + heights[above] for above, below in pairwise(sorted(heights)))
    assert board.json["panels"][0]["type"] == "row"


@EVERY
def test_every_panel_says_what_it_shows_and_what_to_do(board: Board) -> None:
    """A title of its own, a description in sentences, a unit, words for no data, a source that can be chosen."""
    ids = [panel["id"] for panel in board.json["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board.panels:
        settings, where = panel["fieldConfig"]["defaults"], panel["title"]
        assert 3 <= len(where) <= 45, where
        assert len(panel["description"]) > 45, where
        assert panel["description"].endswith("."), where
        assert re.search(r"[.:;] ", panel["description"]), f"{where}: what is shown, and then what to do"
        assert settings["unit"] in UNITS, where
        assert settings["noValue"], where
        assert panel["targets"], where
        for one in (panel, *panel["targets"]):
            assert one["datasource"] == {"type": "prometheus", "uid": "${datasource}"}, where
        refs = [target["refId"] for target in panel["targets"]]
        assert refs == sorted(set(refs)), where
    titles = Counter((_heading(board, panel), panel["title"]) for panel in board.panels)
    assert set(titles.values()) == {1}


def _heading(board: Board, panel: dict[str, Any]) -> str:
    rows = [row for row in board.json["panels"] if row["type"] == "row"]
    return [str(row["title"]) for row in rows if row["gridPos"]["y"] < panel["gridPos"]["y"]][-1]


@EVERY
def test_legends_name_what_a_series_is(board: Board) -> None:
    """Only a sum over all, which has no labels, has an empty one; a graph without a legend is a riddle."""
    for panel in [panel for panel in board.panels if panel["type"] != "table"]:
        for target in panel["targets"]:
            labels = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
            grouped = re.findall(r"by \(([^)]*)\)", target["expr"])
            known = {label.strip() for group in grouped for label in group.split(",")}
            assert set(labels) <= known, (panel["title"], target["expr"])
            assert labels or panel["type"] == "stat", panel["title"]
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"]["showLegend"] is True


@EVERY
def test_every_variable_that_is_used_is_there(board: Board) -> None:
    offered = [variable["name"] for variable in board.variables]
    assert len(set(offered)) == len(offered)
    assert {"datasource", "page"} <= set(offered)
    text = json.dumps({**board.json, "templating": {}}, ensure_ascii=False)
    inside = {name for name in used(text) if not re.search(rf"\$\{{{name}\.", text)} - {"__field", "__data"}
    assert inside <= {*offered, *GIVEN}
    assert set(offered) <= inside
    for variable, series, _ in board.choices():
        assert used(series) <= set(offered[: offered.index(variable["name"])]), "asked for before what it depends on"


@EVERY
def test_every_link_leads_somewhere(board: Board) -> None:
    """To a dashboard that there is, with the time that is looked at, or to a page of the daemon."""
    uids = {each.json["uid"] for each in BOARDS}
    links = [link for panel in board.panels for link in panel["fieldConfig"]["defaults"]["links"]]
    for link in (link["url"] for link in links):
        dashboard = re.match(r"/d/([a-z-]+)\?", link)
        if dashboard:
            assert dashboard[1] in uids
            assert "${__url_time_range}" in link
        else:
            assert re.fullmatch(r"\$\{page\}/systems/\$\{__\w+\.\w+\.system\}/\$\{__\w+\.\w+\.check\}", link)
    others, page = board.json["links"]
    assert others["type"] == "dashboards"
    assert others["tags"] == board.json["tags"] == ["runbook-monitor"]
    assert page["url"] == "${page}/"


def test_from_the_overview_one_gets_to_the_system() -> None:
    (overview,) = (board for board in BOARDS if board.name == "overview")
    leading = [panel["title"] for panel in overview.panels if "/d/monitor-system?" in json.dumps(panel)]
    assert {"Alerts", "Systems", "Systems over time", "Slowest checks", "Certificates"} <= set(leading)


@EVERY
def test_only_series_are_asked_for_that_the_daemon_has(board: Board) -> None:
    """By name, or by a pattern that fits some; variables and annotations too."""
    known = catalogue()
    asked = [question.expr for question in board.questions()]
    asked += [series for _, series, _ in board.choices()]
    for query in asked:
        assert names(query) <= known, query
        for pattern in patterns(query):
            assert [name for name in known if re.fullmatch(pattern, name)], query
        assert names(query) or patterns(query), query


def test_a_name_with_a_slip_in_it_would_be_found() -> None:
    assert names('sum (rate(monitor_prob_runs_total{check="monitor_x"}[1m]))') == {"monitor_prob_runs_total"}
    assert "monitor_prob_runs_total" not in catalogue()
    assert {"monitor_probe_runs_total", "monitor_alert", "monitor_remote_write_samples_total"} <= catalogue()
    assert {"monitor_schedule_lag_seconds_bucket", "process_cpu_seconds_total", "monitor_build_info"} <= catalogue()


@EVERY
def test_a_figure_is_never_a_constant(board: Board) -> None:
    """What is drawn as a line comes from the thresholds or limits that hold, dashed and coloured by its severity."""
    for panel in board.panels:
        if panel["type"] != "timeseries":
            continue
        assert "thresholdsStyle" not in panel["fieldConfig"]["defaults"].get("custom", {})
        figures = [target["refId"] for target in panel["targets"] if LEVEL.search(target["expr"])]
        overrides = panel["fieldConfig"]["overrides"]
        dashed = {each["matcher"]["options"] for each in overrides if each["matcher"]["id"] == "byFrameRefID"}
        assert set(figures) <= dashed, panel["title"]
        if figures:
            assert {each["matcher"]["options"] for each in overrides if each["matcher"]["id"] == "byRegexp"} == {
                "/ · critical$/",
                "/ · warning$/",
                "/ · info$/",
            }
