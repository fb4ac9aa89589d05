"""What `monitor rules` writes: both files pass their tools, hold no secret, and say what they leave out."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config import load
from monitor.model import Alert, AlertKey, CheckId, Severity
from monitor.routing import told_of
from monitor.rules import alertmanager_file, rules_file
from monitor.rules.matching import alike
from monitor.rules.text import Remarked, as_yaml
from monitor.secrets import Redactor
from tests.acceptance.process import program
from tests.test_reference import EXAMPLES

if TYPE_CHECKING:
    from typer.testing import Result

    from monitor.config import Config
    from monitor.rules.text import Value

ROOT = Path(__file__).parents[2]
SYSTEMS = ("capliquify", "ecomdash", "realstaging", "seedsource", "tatame")
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
MAIN = """
channels:
  slack: {kind: slack, webhook_url: "${SECRET_HOOK}"}
  bot: {kind: slack, token: "${SECRET_BOT}", channel: C0000000001}
  mail: {kind: email, to: [oncall@example.com], smtp: "${SECRET_SMTP}"}
  hook: {kind: webhook, url: "${SECRET_HOOK}"}
  pager: {kind: pagerduty, routing_key: "${SECRET_KEY}"}
  resend: {kind: resend, api_key: "${SECRET_RESEND}", to: [oncall@example.com], from: monitor@example.com}
  push: {kind: pushover, token: "${SECRET_TOKEN}", user: "${SECRET_USER}"}
  manager: {kind: alertmanager, url: "http://alertmanager:9093"}
  apprise: {kind: apprise, urls: ["${SECRET_APPRISE}"]}
  terminal: {kind: console}
routes:
  - {severity: critical, notify: [slack, bot, pager], repeat: 30m, escalate: [{after: 15m, notify: [push, resend]}]}
  - {severity: [warning, info], notify: [mail, hook], within: 1h, check: ["data*", "shop/si?e"]}
  - {check: ["[ab]x"], alert: "*connections*", notify: terminal, hours: "Mon-Fri 22:00-06:00 Europe/Berlin"}
  - {severity: critical, labels: {state: idle, check: site}, system: shed, notify: apprise, hours: "Sat 10:00-14:00"}
  - {severity: info, notify: [manager, push, resend], digest: "09:00", stop: true}
holidays: [2026-12-25]
systems:
  shop:
    title: "The {{ shop }}"
    runbook: https://example.com/runbook
    checks:
      site:
        url: https://shop.example.com/
        remedy: ["Restart \\"it\\": {{ now }}", "The key is ${SECRET_KEY}."]
        remedy_for: {dns: Ask the registrar.}
        thresholds:
          - {watch: "sum(duration, 5m)", info: "> 3s", name: busy}
      database:
        kind: postgres
        dsn: "${SECRET_DSN}"
        needs: [site]
        thresholds:
          - {watch: 'connections{state!="idle"}', name: "connections {{ all }}", warning: "> 5", for: 1m, keep: 2m}
  shed: {checks: {site: https://shed.example.com/}}
"""
SECRETS = {
    "SECRET_HOOK": "https://hooks.slack.com/services/T0/B0/hushhush",
    "SECRET_BOT": "xoxb-1234-hushhush",
    "SECRET_SMTP": "smtp://monitor:hushhush@smtp.hidden.example:587",
    "SECRET_KEY": "hushhush4hushhush5hushhush6hushh",
    "SECRET_RESEND": "re_hushhush7",
    "SECRET_TOKEN": "hushhush8hushhush9hushhush0hus",
    "SECRET_USER": "hushhushAhushhushBhushhushChus",
    "SECRET_APPRISE": "json://user:hushhush@localhost/",
    "SECRET_DSN": "postgresql://monitor:hushhush@localhost/shop",
}


def whole(folder: Path) -> Config:
    (folder / "monitor.yaml").write_text(MAIN, "utf-8")
    return load(folder / "monitor.yaml", SECRETS)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["rules", *map(str, arguments)])


def passes(tool: str, package: str, *arguments: str | Path) -> str:
    done = subprocess.run(
        [program(tool, package), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def read(text: str) -> Any:  # noqa: ANN401 - any YAML
    return YAML(typ="safe").load(text)


def test_every_channel_and_route_passes_the_tools_without_a_secret(tmp_path: Path) -> None:
    config = whole(tmp_path)
    redact = Redactor(config.secrets)
    rules, routes = tmp_path / "rules.yml", tmp_path / "alertmanager.yml"
    rules.write_text(rules_file(config, redact), "utf-8")
    routes.write_text(alertmanager_file(config, redact), "utf-8")
    said = passes("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", rules)
    assert "SUCCESS" in said
    assert "SUCCESS" in passes("amtool", "prometheus-alertmanager", "check-config", routes)
    assert "hush" not in rules.read_text() + routes.read_text()
    assert "smtp.hidden.example" not in routes.read_text()


@pytest.mark.parametrize("system", SYSTEMS)
def test_the_five_systems_pass_the_tools(system: str, tmp_path: Path) -> None:
    config = load(ROOT / "config", {}, [system], placeholders=True)
    rules, routes = tmp_path / "rules.yml", tmp_path / "alertmanager.yml"
    rules.write_text(rules_file(config, str), "utf-8")
    routes.write_text(alertmanager_file(config, str), "utf-8")
    assert "SUCCESS" in passes("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", rules)
    assert "SUCCESS" in passes("amtool", "prometheus-alertmanager", "check-config", routes)


def test_every_example_in_the_documents_passes_the_tools(tmp_path: Path) -> None:
    """Both files of each configuration that the pages show."""
    rules, routes = [], []
    for number, (_, text) in enumerate(EXAMPLES):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "monitor.yaml").write_text(text, "utf-8")
        if not {"system", "systems"} & read(text).keys():
            (folder / "shop.yaml").write_text("system: shop\nchecks: {site: tls://shop.example.com}\n", "utf-8")
        config = load(folder, {}, placeholders=True)
        rules.append(folder / "rules.yml")
        routes.append(folder / "alertmanager.yml")
        rules[-1].write_text(rules_file(config, str), "utf-8")
        routes[-1].write_text(alertmanager_file(config, str), "utf-8")
    checked = passes("promtool", "prometheus", "check", "rules", "--lint=all", "--lint-fatal", *rules)
    assert checked.count("SUCCESS") == len(EXAMPLES)
    assert passes("amtool", "prometheus-alertmanager", "check-config", *routes).count("SUCCESS") == len(EXAMPLES)


@pytest.mark.parametrize("severity", Severity)
def test_alertmanager_tells_whom_we_tell(severity: Severity, tmp_path: Path) -> None:
    """Hours aside, the real tree of routes finds the channels that ours find, for alerts of every system."""
    config = load(ROOT / "config", {}, placeholders=True)
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager_file(config, str), "utf-8")
    for check in ("capliquify/database", "capliquify/backend", "tatame/server", "seedsource/health"):
        key = AlertKey(CheckId(*check.split("/")), "down")
        labels = {"alertname": "down", "system": key.check.system, "check": key.check.check, "severity": str(severity)}
        pairs = [f"{name}={value}" for name, value in labels.items()]
        said = passes("amtool", "prometheus-alertmanager", "config", "routes", "test", f"--config.file={file}", *pairs)
        told = {name.strip() for name in said.strip().split(",")} - {"nobody"}
        assert told == told_of(config.routes, Alert(key, "Title"), severity, NOON), (check, said)


def test_a_rule_says_what_our_own_channel_says(tmp_path: Path) -> None:
    """Labels and annotations of the same names; what looks like a template in the file is shown as it is."""
    (group, *_) = read(rules_file(whole(tmp_path), Redactor(whole(tmp_path).secrets)))["groups"]
    rule = next(rule for rule in group["rules"] if rule.get("alert") == "connections {{ all }}")
    assert rule["labels"] == {"system": "shop", "check": "database", "severity": "warning"}
    assert (rule["for"], rule["keep_firing_for"]) == ("1m", "2m")
    notes = rule["annotations"]
    assert notes["runbook_url"] == "https://example.com/runbook"
    assert notes["summary"].startswith('The {{ "{{" }} shop }}: database: connections {{ "{{" }} all }} (')
    assert "state {{ $labels.state }}" in notes["summary"]
    assert 'figure connections{state!="idle"}, warning > 5' in notes["description"]
    assert 'state!="idle"' in rule["expr"]
    down = next(rule for rule in group["rules"] if rule.get("alert") == "down")
    assert down["annotations"]["remedy"] == (
        '1. dns: Ask the registrar.\n2. Restart "it": {{ "{{" }} now }}\n3. The key is •••.'
    )


def test_it_is_the_same_each_time_and_says_where_each_figure_stands(tmp_path: Path) -> None:
    config = whole(tmp_path)
    text = rules_file(config, str)
    assert text == rules_file(config, str)
    assert f"# {tmp_path}/monitor.yaml:" in text
    assert "comes with the kind" in text


def test_what_counts_runs_is_told_how_often_each_is_scraped(tmp_path: Path) -> None:
    config = whole(tmp_path)
    assert "* 0.3333333333333333) > 3" in rules_file(config, str)
    said = alertmanager_file(config, str)
    assert "not said: escalate to push, resend after 15 min" in said
    assert "not said: digest 09:00" in said


def test_hours_are_kept_where_somebody_else_is_there(tmp_path: Path) -> None:
    """A critical ignores them where no other route is sure to take it; a night goes on into the next day."""
    found = read(alertmanager_file(whole(tmp_path), str))
    routes = found["route"]["routes"]
    (terminal,) = (route for route in routes if route["receiver"] == "terminal")
    (apprise,) = (route for route in routes if route["receiver"] == "apprise")
    assert terminal["mute_time_intervals"]
    assert "active_time_intervals" in apprise  # the first route takes every critical at any hour
    night = found["time_intervals"][0]["time_intervals"]
    assert [part["times"][0] for part in night] == [
        {"start_time": "22:00", "end_time": "24:00"},
        {"start_time": "00:00", "end_time": "06:00"},
    ]
    assert night[1]["weekdays"] == ["tuesday", "wednesday", "thursday", "friday", "saturday"]


def test_a_critical_comes_at_any_hour_where_nobody_else_hears_of_it(tmp_path: Path) -> None:
    (tmp_path / "monitor.yaml").write_text(
        MAIN.replace("severity: critical, notify: [slack, bot, pager]", "severity: critical, notify: slack, alert: x*"),
        "utf-8",
    )
    said = alertmanager_file(load(tmp_path / "monitor.yaml", SECRETS), str)
    assert "at any hour, and not only Sat 10:00-14:00" in said
    assert "'x*' is looked for in the alert's name only" in said


def test_the_report_says_it_alone() -> None:
    result = run("--report", "-c", ROOT / "config")
    assert result.exit_code == 0
    assert "tatame/webhook-mix, another mix (drift(events by type, 1d)): " in result.stdout
    assert "groups:" not in result.stdout


def test_the_command_writes_both_files(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("system: shop\nchecks: {site: 'https://${HOST}/'}\n")
    rules = run("-c", tmp_path / "shop.yaml", "--interval", "1m")
    assert rules.exit_code == 0
    assert "site: it runs every 30 s, and not every run is scraped" in rules.stdout
    assert read(rules.stdout)["groups"][0]["interval"] == "1m"
    routes = run("-c", tmp_path / "shop.yaml", "--alertmanager")
    assert read(routes.stdout)["route"]["receiver"] == "nobody"


@pytest.mark.parametrize("pace", ["0s", "soon", "5m"])
def test_a_pace_that_makes_no_sense_is_2(pace: str) -> None:
    result = run("-c", ROOT / "config", "--interval", pace)
    assert result.exit_code == 2
    assert "--interval" in result.stderr


def test_texts_come_through_whatever_they_hold() -> None:
    """Whatever YAML might take for something else is read back as it was."""
    texts = ["yes", "1h", "12", " a", "a\n b\n", "a\nb", 'x"y', 'it\'s "so"', "#x", "a: b", "", "-", "a \nb", "é\u2028"]
    value: dict[str, Value] = {
        "texts": [*texts],
        "at": {text or "empty": text for text in texts},
        "none": [],
        "no": {},
        "yes": True,
        "n": 1,
    }
    assert read(as_yaml(value, before=["one"], after=["two"])) == value
    assert "# why\n" in as_yaml({"a": [Remarked({"b": "c"}, ("why",))], "d": Remarked("e", ("why",))})


@pytest.mark.parametrize(
    ("glob", "expression"),
    [("a.b*", r"a\\.b.*"), ("a?", "a."), ("[!ab]x", "[^ab]x"), ("a[", r"a\\["), ("(x|y)", r"\\(x\\|y\\)")],
)
def test_a_glob_is_a_regular_expression(glob: str, expression: str) -> None:
    assert alike("check", glob) == f'check =~ "{expression}"'
