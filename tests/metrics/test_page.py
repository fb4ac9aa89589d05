from __future__ import annotations

import math
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from monitor.metrics import Metrics
from monitor.metrics.check import MOST_SERIES
from monitor.metrics.page import EDGES, MOST_EDGES
from monitor.model import Alert, AlertKey, CheckId, Level, Measure, Phase, Reason, Severity, State, labels
from monitor.units import Unit
from tests.fakes import START
from tests.metrics.reading import SITE, Web, plan, read, sample, threshold, value

DURATION = "monitor_probe_duration_seconds"


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.watch(plan())
    return metrics


def test_a_check_that_has_not_run_has_counters_at_zero_and_no_success(metrics: Metrics) -> None:
    """Counters start at 0, also for each declared reason, so that the first failure shows as an increase."""
    series = read(metrics)
    assert value(series, "monitor_probe_runs_total") == 0
    assert value(series, "monitor_probe_unknown_total") == 0
    assert value(series, "monitor_probe_left_out_total") == 0
    assert value(series, "monitor_probe_missed_runs_total") == 0
    assert value(series, "monitor_probe_failures_total", reason="timeout") == 0
    assert value(series, "monitor_probe_failures_total", reason="dns") == 0
    assert value(series, f"{DURATION}_count") == 0
    assert value(series, "monitor_probe_success", kind="web") is None
    assert value(series, "monitor_probe_last_run_timestamp_seconds") is None


def test_runs_are_counted_by_what_they_found(metrics: Metrics) -> None:
    """Down counts as a failure of the target, with its reason; unknown is nobody's failure."""
    metrics.sample(sample())
    metrics.sample(sample(State.DOWN, reason=Reason.TIMEOUT))
    metrics.sample(sample(State.DOWN, reason=Reason.STATUS))
    metrics.sample(sample(State.UNKNOWN, reason=Reason.DNS))
    series = read(metrics)
    assert value(series, "monitor_probe_runs_total") == 4
    assert value(series, "monitor_probe_failures_total", reason="timeout") == 1
    assert value(series, "monitor_probe_failures_total", reason="status") == 1
    assert value(series, "monitor_probe_failures_total", reason="dns") == 0
    assert value(series, "monitor_probe_unknown_total") == 1
    assert value(series, "monitor_probe_last_run_timestamp_seconds") == START.timestamp()


def test_success_is_absent_while_unknown(metrics: Metrics) -> None:
    """Neither 0 nor 1 would be true of a target that could not be looked at."""
    metrics.sample(sample())
    assert value(read(metrics), "monitor_probe_success", kind="web") == 1
    metrics.sample(sample(State.DOWN, reason=Reason.BODY))
    assert value(read(metrics), "monitor_probe_success", kind="web") == 0
    metrics.sample(sample(State.UNKNOWN, reason=Reason.DNS))
    assert value(read(metrics), "monitor_probe_success", kind="web") is None


def test_a_run_left_out_is_counted_by_itself(metrics: Metrics) -> None:
    """It is neither a failure nor unknown, and shows neither up nor down; that it came is seen by its time."""
    metrics.sample(sample())
    metrics.sample(sample(State.UNKNOWN))
    series = read(metrics)
    assert value(series, "monitor_probe_left_out_total") == 1
    assert value(series, "monitor_probe_unknown_total") == 0
    assert value(series, "monitor_probe_runs_total") == 2
    assert value(series, "monitor_probe_success", kind="web") is None
    assert value(series, "monitor_probe_last_run_timestamp_seconds") == START.timestamp()


def test_a_failure_without_a_reason_is_counted_as_unknown(metrics: Metrics) -> None:
    """A kind that forgets the reason still counts."""
    metrics.sample(sample(State.DOWN))
    assert value(read(metrics), "monitor_probe_failures_total", reason="unknown") == 1


def test_series_left_out_are_added_up(metrics: Metrics) -> None:
    """Of a check that is watched."""
    metrics.left_out(SITE, 2)
    metrics.left_out(SITE, 1)
    metrics.left_out(CheckId("shop", "gone"), 9)
    assert value(read(metrics), "monitor_series_left_out_total") == 3


def test_how_much_past_is_known_is_shown_for_what_is_held_against_it() -> None:
    """From 0 on; a reload keeps it for what stays, and what goes vanishes."""
    name = "monitor_threshold_history_seconds"
    usual, mix, other = (
        threshold(text, Unit.NUMBER, 3) for text in ("usual(used, 1h)", 'drift(used{a="b"}, 1d)', "p95(used, 5m)")
    )
    metrics = Metrics()
    metrics.watch(plan(SITE, usual, mix, other))
    assert [value(read(metrics), name, watch=one.watch.text) for one in (usual, mix, other)] == [0, 0, None]
    metrics.looks_back(SITE, {usual.watch.text: timedelta(hours=2), "gone": timedelta(hours=9)})
    metrics.looks_back(CheckId("shop", "gone"), {usual.watch.text: timedelta(hours=9)})
    metrics.watch(plan(SITE, usual, other))
    assert value(read(metrics), name, watch=usual.watch.text) == 7_200
    assert len([key for key in read(metrics) if key[0] == name]) == 1
    metrics.watch(plan(SITE, other))
    assert not [key for key in read(metrics) if key[0] == name]


def test_missed_runs_are_added_up(metrics: Metrics) -> None:
    """The scheduler's report reaches the check's own counter."""
    metrics.schedule.missed(SITE, 2)
    metrics.schedule.missed(SITE, 1)
    metrics.schedule.missed(CheckId("shop", "gone"), 9)
    assert value(read(metrics), "monitor_probe_missed_runs_total") == 3


@given(st.lists(st.floats(0, 60), max_size=30))
def test_durations_fall_into_their_buckets(seconds: list[float]) -> None:
    """Each edge counts the runs that took no longer, and the last one counts all."""
    metrics = Metrics()
    metrics.watch(plan())
    for took in seconds:
        metrics.sample(sample(took=took))
    series = read(metrics)
    rounded = [round(took, 6) for took in seconds]
    for edge in EDGES:
        assert value(series, f"{DURATION}_bucket", le=repr(edge)) == sum(took <= edge for took in rounded)
    assert value(series, f"{DURATION}_bucket", le="+Inf") == value(series, f"{DURATION}_count") == len(seconds)
    assert math.isclose(value(series, f"{DURATION}_sum") or 0, sum(rounded), abs_tol=1e-9)


def test_every_figure_in_seconds_is_an_edge_of_all_checks(metrics: Metrics) -> None:
    """A quantile at the figure is exact, and one common set of edges can be added up."""
    other = CheckId("shop", "cart")
    metrics.sample(sample())
    metrics.watch(
        plan(other, threshold("p95(duration, 5m)", Unit.SECONDS, 0.3, 0.5), threshold("used", Unit.RATIO, 0.8))
    )
    series = read(metrics)
    for check in (SITE, other):
        assert value(series, f"{DURATION}_bucket", check, le="0.3") == 0
        assert value(series, f"{DURATION}_bucket", check, le="0.8") is None
    assert value(series, "monitor_probe_runs_total") == 1


def test_a_known_figure_restarts_no_histogram(metrics: Metrics) -> None:
    """Unchanged edges disturb nobody."""
    metrics.sample(sample())
    metrics.watch(plan(CheckId("shop", "cart"), threshold("duration", Unit.SECONDS, 0.5)))
    assert value(read(metrics), f"{DURATION}_count") == 1


def test_edges_are_bounded_and_sane(metrics: Metrics) -> None:
    """Each edge is a series of every check, so a thousand figures do not make a thousand edges."""
    figures = [threshold("duration", Unit.SECONDS, n / 7 - 5) for n in range(200)]
    metrics.watch(plan(SITE, *figures, threshold("duration", Unit.SECONDS, math.inf)))
    buckets = [dict(labels)["le"] for name, labels in read(metrics) if name == f"{DURATION}_bucket"]
    assert len(buckets) == MOST_EDGES + 1
    assert all(float(le) > 0 for le in buckets)


def test_measures_are_gauges_named_by_kind_measure_and_unit(metrics: Metrics) -> None:
    """Each declared measure is on the page with its labels, in its base unit."""
    metrics.sample(
        sample(
            State.UP,
            Measure("duration", 0.25),
            Measure("phase", 0.1, labels({"phase": "dns"})),
            Measure("phase", 0.15, labels({"phase": "tls"})),
            Measure("expiry", 1.8e9),
            Measure("size", math.inf),
            Measure("used", math.nan),
            Measure("orders_total", 7),
            Measure("undeclared", 1.0),
        )
    )
    series = read(metrics)
    assert value(series, "monitor_web_duration_seconds") == 0.25
    assert value(series, "monitor_web_phase_seconds", phase="dns") == 0.1
    assert value(series, "monitor_web_phase_seconds", phase="tls") == 0.15
    assert value(series, "monitor_tls_expiry_timestamp_seconds") == 1.8e9
    assert value(series, "monitor_web_size_bytes") == math.inf
    assert math.isnan(value(series, "monitor_web_used_ratio") or 0)
    assert value(series, "monitor_web_orders_total_value") == 7
    assert not any("undeclared" in name for name, _ in series)


def test_vanished_labels_vanish(metrics: Metrics) -> None:
    """What a sample no longer has is no longer shown, family by family and label by label."""
    phases = [Measure("phase", 0.1, labels({"phase": name})) for name in ("dns", "tls")]
    metrics.sample(sample(State.UP, Measure("duration", 1.0), *phases))
    metrics.sample(sample(State.UP, phases[1]))
    series = read(metrics)
    assert value(series, "monitor_web_duration_seconds") is None
    assert value(series, "monitor_web_phase_seconds", phase="dns") is None
    assert value(series, "monitor_web_phase_seconds", phase="tls") == 0.1


def test_the_last_of_two_values_for_one_series_counts(metrics: Metrics) -> None:
    """A double series would cost Prometheus the whole page."""
    metrics.sample(sample(State.UP, Measure("duration", 1.0), Measure("duration", 2.0)))
    assert value(read(metrics), "monitor_web_duration_seconds") == 2.0


def test_labels_that_keep_changing_are_not_remembered_for_ever(metrics: Metrics) -> None:
    """Ten thousand label values, a few at a time, leave no trace but the newest."""
    for n in range(3 * MOST_SERIES):
        metrics.sample(sample(State.UP, Measure("phase", 1.0, labels({"phase": str(n)}))))
    assert len(metrics._checks[SITE]._series) <= MOST_SERIES + 1
    assert [name for name, _ in read(metrics)].count("monitor_web_phase_seconds") == 1


def test_a_flood_of_measures_is_cut(metrics: Metrics) -> None:
    """One answer cannot put a million series on the page."""
    flood = tuple(Measure("phase", 1.0, labels({"phase": str(n)})) for n in range(5 * MOST_SERIES))
    metrics.sample(sample(State.UP, *flood))
    assert [name for name, _ in read(metrics)].count("monitor_web_phase_seconds") == MOST_SERIES


def test_figures_are_shown_by_watch_and_level() -> None:
    """The figures stand beside the values they judge; of two for the same watch and level the first."""
    metrics = Metrics()
    watch = 'phase{phase="tls"}'
    metrics.watch(plan(SITE, threshold(watch, Unit.SECONDS, 0.3, 0.5), threshold(watch, Unit.SECONDS, 9.0)))
    series = read(metrics)
    assert value(series, "monitor_threshold", watch=watch, level="warning") == 0.3
    assert value(series, "monitor_threshold", watch=watch, level="critical") == 0.5


def test_a_changed_plan_keeps_what_was_counted(metrics: Metrics) -> None:
    """A reload changes figures and restarts no counter."""
    metrics.sample(sample(State.DOWN, reason=Reason.DNS))
    metrics.watch(plan(SITE, threshold("duration", Unit.SECONDS, 0.5)))
    metrics.watch(plan(SITE))
    series = read(metrics)
    assert value(series, "monitor_probe_runs_total") == 1
    assert value(series, "monitor_probe_failures_total", reason="dns") == 1
    assert value(series, f"{DURATION}_count") == 1
    assert not any(name == "monitor_threshold" for name, _ in series)


def test_a_forgotten_check_leaves_nothing(metrics: Metrics) -> None:
    """Not one line of a removed check stays, and a late sample brings none back."""
    metrics.sample(sample(State.UP, Measure("duration", 1.0)))
    metrics.forget(SITE)
    metrics.forget(SITE)
    metrics.sample(sample())
    metrics.missed(SITE, 1)
    assert b"shop" not in metrics.page()


def firing(**levels: Phase) -> dict[Severity, Level]:
    """Return levels by name."""
    zero = START - START
    return {Severity[name.upper()]: Level(phase, 0, zero) for name, phase in levels.items()}


KEY = AlertKey(SITE, "slow", labels({"state": 'idle "in" transaction'}))


@pytest.mark.parametrize(
    ("alert", "shown"),
    [
        (Alert(KEY), set()),
        (Alert(KEY, announced=Severity.WARNING), set()),
        (Alert(KEY, levels=firing(warning=Phase.PENDING)), {("warning", "pending")}),
        (Alert(KEY, levels=firing(warning=Phase.FIRING), severity=Severity.WARNING), {("warning", "firing")}),
        (Alert(KEY, levels=firing(warning=Phase.KEEPING), severity=Severity.WARNING), {("warning", "firing")}),
        (
            Alert(KEY, levels=firing(warning=Phase.FIRING, critical=Phase.PENDING), severity=Severity.WARNING),
            {("warning", "firing"), ("critical", "pending")},
        ),
        (
            Alert(KEY, levels=firing(warning=Phase.FIRING, critical=Phase.FIRING), severity=Severity.CRITICAL),
            {("critical", "firing")},
        ),
        (
            Alert(KEY, levels=firing(warning=Phase.PENDING, critical=Phase.FIRING), severity=Severity.CRITICAL),
            {("critical", "firing")},
        ),
    ],
)
def test_an_alert_shows_what_fires_once_and_what_may_get_worse(alert: Alert, shown: set[tuple[str, str]]) -> None:
    """One firing series for each alert, with its worst severity; a worse level that is pending beside it."""
    metrics = Metrics()
    metrics.alert(Alert(KEY, levels=firing(info=Phase.FIRING), severity=Severity.INFO))
    metrics.alert(alert)
    alerts = {dict(pairs)["severity"]: dict(pairs) for name, pairs in read(metrics) if name == "monitor_alert"}
    assert {(severity, pairs["state"]) for severity, pairs in alerts.items()} == shown
    for pairs in alerts.values():
        assert pairs["alert"] == "slow"
        assert pairs["series"] == r'state="idle \"in\" transaction"'


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), max_size=5, unique=True))
@settings(max_examples=50)
def test_no_name_or_label_breaks_the_page(names: list[tuple[str, str, str]]) -> None:
    """Systems, checks and labels of any text leave a page that parses in both formats and counts every check."""
    metrics = Metrics()
    for system, check, label in names:
        metrics.watch(plan(CheckId(system, check), threshold("duration", Unit.SECONDS, 0.3)))
        measure = Measure("phase", 1.0, labels({"phase": label}))
        metrics.sample(sample(State.UP, measure, check=CheckId(system, check)))
    metrics.page().decode()
    fitting = {name for name in names if all(part.isprintable() for part in name)}
    if fitting == set(names):
        for system, check, label in names:
            assert value(read(metrics), "monitor_web_phase_seconds", CheckId(system, check), phase=label) is not None


class Counting(RuleBasedStateMachine):
    """Samples, misses and scrapes in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()
        self.metrics.watch(plan())
        self.runs = self.failures = self.missed = 0

    @rule(state=st.sampled_from(State))
    def run(self, state: State) -> None:
        self.metrics.sample(sample(state, reason=Reason.DNS if state is State.DOWN else None))
        self.runs += 1
        self.failures += state is State.DOWN

    @rule(count=st.integers(1, 5))
    def miss(self, count: int) -> None:
        self.metrics.missed(SITE, count)
        self.missed += count

    @rule(openmetrics=st.booleans())
    def scrape(self, *, openmetrics: bool) -> None:
        self.metrics.page(openmetrics=openmetrics)

    @rule(edge=st.floats(0.1, 5))
    def reload(self, edge: float) -> None:
        self.metrics.watch(plan(SITE, threshold("duration", Unit.SECONDS, edge)))

    @invariant()
    def counters_are_what_happened(self) -> None:
        series = read(self.metrics)
        assert value(series, "monitor_probe_runs_total") == self.runs
        assert value(series, "monitor_probe_failures_total", reason="dns") == self.failures
        assert value(series, "monitor_probe_missed_runs_total") == self.missed


Counting.TestCase.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)
TestCounting = Counting.TestCase


def full_page(*, openmetrics: bool = False) -> Metrics:
    """Return metrics with everything on the page."""
    metrics = Metrics()
    metrics.watch(plan(SITE, threshold("duration", Unit.SECONDS, 0.3, 0.5)))
    past = threshold('usual(used{a="b"}, 1h)', Unit.NUMBER, 3)
    metrics.watch(plan(CheckId("shop", 'c"a\nr\\t'), threshold("used", Unit.RATIO, 0.8), past))
    measures = [Measure(spec.name, 1.5, labels(dict.fromkeys(spec.labels, "x"))) for spec in Web.measures]
    metrics.sample(sample(State.UP, *measures))
    metrics.sample(sample(State.DOWN, reason=Reason.DNS))
    metrics.sample(sample(State.UP, *measures))
    metrics.alert(Alert(KEY, levels=firing(warning=Phase.FIRING), severity=Severity.WARNING))
    metrics.outbox.configure(["ops"])
    metrics.remote_write(["timeout"]).sent(3, START)
    metrics.page(openmetrics=openmetrics)
    return metrics


def test_the_openmetrics_page_holds_the_same_series() -> None:
    """Both formats say the same."""
    metrics = full_page()
    plain, openmetrics = read(metrics), read(metrics, openmetrics=True)
    checks = [key for key in plain if key[0].startswith("monitor_")]
    assert {key: plain[key] for key in checks} == {key: openmetrics[key] for key in checks}
    assert metrics.page(openmetrics=True).endswith(b"# EOF\n")


def test_a_page_may_take_its_time_while_checks_come_and_go() -> None:
    """Between two parts anything may change; the page stays whole, and no family is torn."""
    metrics = full_page()
    parts = []
    for n, part in enumerate(metrics.parts()):
        parts.append(part)
        metrics.forget(CheckId("shop", f"late-{n - 1}"))
        metrics.watch(plan(CheckId("shop", f"late-{n}")))
        metrics.sample(sample(State.UP, Measure("duration", 1.0), check=CheckId("shop", f"late-{n}")))
    heads = [line.split()[2] for line in b"".join(parts).decode().split("\n") if line.startswith("# TYPE")]
    assert len(heads) == len(set(heads))
    assert "monitor_build_info" in heads


def test_nothing_is_created() -> None:
    """The series `_created`, which double every counter, are off."""
    assert b"_created" not in full_page().page()


def test_promtool_has_nothing_to_say() -> None:
    """Prometheus's own linter accepts names, units, help texts and types."""
    promtool = shutil.which("promtool")
    if promtool is None:
        reason = "promtool is missing: apt-get install prometheus"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    page = full_page().page()
    done = subprocess.run([promtool, "check", "metrics"], input=page, capture_output=True, timeout=30, check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"", b"", 0)


def test_what_runs_changed_is_rendered_a_few_checks_at_a_time() -> None:
    """Each empty part is a pause for others; a second look finds nothing to render. What it costs is in benchmarks/."""
    metrics = Metrics()
    for n in range(60):
        check = CheckId("shop", f"check-{n}")
        metrics.watch(plan(check, threshold("duration", Unit.SECONDS, 0.3, 0.5)))
        metrics.sample(replace(sample(State.UP, Measure("duration", 1.5)), check=check))
    assert [part for part in metrics.parts() if not part] == [b""] * 3
    assert [part for part in metrics.parts() if not part] == []
    assert len([key for key in read(metrics) if key[0] == "monitor_probe_success"]) == 60
