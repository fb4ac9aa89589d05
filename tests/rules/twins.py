"""Our own alerts and Prometheus's over the same samples: real judging here, the real page and promtool there.

A course says what each run of a check finds, one run at each evaluation. `Twin` lets the daemon's deciding judge the
runs and renders the page that Prometheus would scrape then; `Case` writes both as a test for promtool, which compares.
"""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ruamel.yaml import YAML

from monitor.history import EPOCH
from monitor.metrics import Metrics
from monitor.metrics.text import label_name
from monitor.model import CheckId, Measure, Reason, Sample, State
from monitor.probes.base.terms import Retry
from monitor.rules import rules_file
from monitor.situation import Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from monitor.config import Config
    from monitor.model import AlertKey, Labels, Severity
    from monitor.plan import Plan

REASONS = {State.UP: None, State.DOWN: Reason.STATUS, State.UNKNOWN: Reason.DNS}
NAMES = re.compile(r"\bmonitor_[a-z0-9_]+")
RANGE = re.compile(r"\[(\w+)\]")
PATIENCE = 50


class Found(NamedTuple):
    """What one run finds: the values of its measures by name and labels."""

    state: State = State.UP
    values: Mapping[tuple[str, Labels], float] = {}
    left_out: bool = False


Course = list[Found | None]
"""What each run finds; None where none runs."""


def paced(plan: Plan, name: str, interval: timedelta) -> Plan:
    """Return `plan` as a check of another name that runs once in each interval, whatever it finds."""
    check = plan.check.model_copy(update={"every": interval, "retry": Retry(every=interval)})
    return replace(plan, id=CheckId(plan.id.system, name), check=check, needs=(), fingerprint=name)


class Twin:
    """The daemon's deciding, and its page: at each evaluation what fires, and every series."""

    def __init__(self, plans: Mapping[CheckId, Plan], interval: timedelta) -> None:
        self._situation, self._metrics = Situation(), Metrics()
        self._interval = interval
        self._situation.configure(plans, (), EPOCH)
        for plan in plans.values():
            self._metrics.watch(plan)
        self.fires: list[set[tuple[AlertKey, Severity]]] = []
        self.pages: list[dict[str, str]] = []

    def run(self, courses: Mapping[CheckId, Course], gone: Iterable[int]) -> None:
        """Let all runs happen; at the evaluations `gone` there is no daemon."""
        away = frozenset(gone)
        for index in range(max(map(len, courses.values()))):
            if index in away:
                self.fires.append(self.fires[-1])
                self.pages.append({})
                continue
            now = EPOCH + index * self._interval
            found = {check: course[index] for check, course in courses.items() if index < len(course)}
            self._judge([_sample(check, one, now) for check, one in found.items() if one], now)
            self._look()

    def _judge(self, samples: Iterable[Sample], now: datetime) -> None:
        situation = self._situation
        for sample in samples:
            watched = situation.watched[sample.check]
            watched.see(sample)
            decision = situation.decide(sample.check, situation.judged(sample), now)
            watched.judged(sample)
            situation.adopt(decision, now)
            self._metrics.sample(sample)
        for check in sorted(situation.look_round(now)):
            situation.adopt(situation.decide(check, situation.noticed(check, now), now), now)

    def _look(self) -> None:
        levels = ((alert.key, alert.levels) for alert in self._situation.board)
        self.fires.append(
            {(key, severity) for key, held in levels for severity, level in held.items() if level.phase.fires}
        )
        lines = b"".join(self._metrics.watched()).decode().splitlines()
        self.pages.append(dict(_parted(line) for line in lines if not line.startswith("#")))


class Case:
    """A test for promtool: rules, series, and what must fire at each evaluation."""

    def __init__(self, config: Config, twin: Twin, interval: timedelta) -> None:
        self._twin, self._interval = twin, interval
        self.rules: dict[str, Any] = YAML(typ="safe").load(rules_file(config, str, interval))
        for rule in self.all_rules():
            rule.pop("annotations", None)  # they are looked at elsewhere; here all of them would be compared

    def all_rules(self) -> list[dict[str, Any]]:
        return [rule for group in self.rules["groups"] for rule in group["rules"]]

    def alerts(self, name: str) -> list[dict[str, Any]]:
        """Return the rules of the alerts that have this name."""
        return [rule for rule in self.all_rules() if rule.get("alert") == name]

    def leave_out(self, *names: str) -> None:
        """Look at no alert of these names, nor at what is recorded for them."""
        for group in self.rules["groups"]:
            group["rules"] = [rule for rule in group["rules"] if rule.get("alert", names[0]) not in names]

    def write(self, folder: Path, *, old: bool) -> Path:
        """Write it into `folder`; `old`: windows of this promtool are closed on the left."""
        text = json.dumps(self.rules)
        rules, test = folder / "rules.json", folder / "test.json"
        rules.write_text(RANGE.sub(_shorter, text) if old else text)
        seconds = f"{self._interval.total_seconds():g}s"
        names = set(NAMES.findall(text))
        cases = {"interval": seconds, "input_series": self._series(names), "alert_rule_test": self._expected()}
        whole = {"rule_files": [str(rules)], "evaluation_interval": seconds, "tests": [cases]}
        test.write_text(json.dumps(whole))
        return test

    def _series(self, names: set[str]) -> list[dict[str, str]]:
        pages = self._twin.pages
        wanted = {series: None for page in pages for series in page if series.partition("{")[0] in names}
        return [{"series": series, "values": " ".join(_values(series, pages))} for series in wanted]

    def _expected(self) -> list[dict[str, Any]]:
        names = {
            rule["alert"]
            for rule in self.all_rules()
            if rule.get("labels", {}).get("system") != "monitor"
            if "alert" in rule
        }
        names.discard("not watched")
        return [
            {
                "eval_time": f"{index * self._interval.total_seconds():g}s",
                "alertname": name,
                "exp_alerts": [{"exp_labels": _labels(key, severity)} for key, severity in fires if key.name == name],
            }
            for index, fires in enumerate(self._twin.fires)
            for name in sorted(names)
        ]


def verdicts(promtool: str, files: Sequence[Path]) -> dict[Path, str]:
    """Return what promtool says of each file: nothing where all is as expected."""
    command = [promtool, "test", "rules", *map(str, files)]
    out, both = subprocess.PIPE, subprocess.STDOUT  # success is told on one, failure on the other
    run = subprocess.run(command, stdout=out, stderr=both, text=True, check=False, timeout=PATIENCE)
    _, *parts = re.split(r"^Unit Testing: +", run.stdout, flags=re.MULTILINE)
    said = {}
    for part in parts:
        name, _, told = part.partition("\n")
        said[name.strip()] = "" if told.strip().startswith("SUCCESS") else told.strip()[:3000]
    assert said.keys() == {str(file) for file in files}, run.stdout[:2000]
    assert bool(run.returncode) is any(said.values())
    return {file: said[str(file)] for file in files}


def is_old(promtool: str) -> bool:
    """Return whether windows are closed on the left, as before Prometheus 3."""
    version = subprocess.run([promtool, "--version"], capture_output=True, text=True, check=True)
    return int(re.findall(r"^promtool, version (\d+)", version.stdout + version.stderr)[0]) < 3


def _sample(check: CheckId, found: Found, now: datetime) -> Sample:
    measures = tuple(Measure(name, value, labels) for (name, labels), value in found.values.items())
    reason = None if found.left_out else REASONS[found.state]
    return Sample(check, now, timedelta(seconds=0.1), found.state, reason, "", measures)


def _parted(line: str) -> tuple[str, str]:
    series, _, value = line.rpartition(" ")
    return series, value


def _values(series: str, pages: Sequence[Mapping[str, str]]) -> Iterable[str]:
    """Yield the values in promtool's notation; a series that is gone is marked as such, as a scrape does."""
    before = False
    for page in pages:
        value = page.get(series)
        yield value if value is not None else "stale" if before else "_"
        before = value is not None


def _labels(key: AlertKey, severity: Severity) -> dict[str, str]:
    """Return the labels of the alert in Prometheus, which keeps none that is empty."""
    own = {label_name(name): value for name, value in key.labels if value}
    return {
        **own,
        "alertname": key.name,
        "system": key.check.system,
        "check": key.check.check,
        "severity": str(severity),
    }


def _shorter(found: re.Match[str]) -> str:
    """Return the range one millisecond shorter, so that it is open on the left."""
    parts = re.findall(r"(\d+)(ms|s|m|h|d)", found[1])
    sizes = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
    return f"[{sum(int(count) * sizes[unit] for count, unit in parts) - 1}ms]"
