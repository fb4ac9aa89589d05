from pathlib import Path

import pytest
from typer.testing import CliRunner

from monitor.cli import app
from monitor.config import load
from monitor.doubts import Doubt, doubts, notes
from monitor.settings import read_settings
from tests.fakes import START

WELL = """channels:
  ops: {kind: webhook, url: "https://hook.example.com/", rings: true}
systems:
  shop:
    checks:
      site:
        url: https://shop.example.com/
        expect: {content_type: text/html}
"""
SITE = "shop/site"
DEADMAN = {"MONITOR_DEADMAN_URL": "https://deadman.example.com/"}


def told(folder: Path, text: str, **environ: str) -> list[Doubt]:
    """Return the doubts of the file with this `text`; a dead man's switch is set unless `environ` empties it."""
    environ = DEADMAN | environ
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environ.items():
            patch.setenv(name, value)
        (folder / "one.yaml").write_text(text, "utf-8")
        return doubts(load(folder / "one.yaml", environ), read_settings(), environ, START)


def test_a_careful_file_leaves_no_doubt(tmp_path: Path) -> None:
    assert told(tmp_path, WELL) == []


def test_a_doubt_says_where_it_lies(tmp_path: Path) -> None:
    (doubt,) = told(tmp_path, WELL.replace("{content_type: text/html}", "{}"))
    message = "any page that answers 200 satisfies it, an error page too: expect something of its body or headers"
    assert doubt == Doubt(message, SITE, f"{tmp_path}/one.yaml:6")
    assert str(doubt) == f"{tmp_path}/one.yaml:6: shop/site: {message}"


@pytest.mark.parametrize(
    ("expect", "doubtful"),
    [
        ("{}", True),
        ("{status: 200}", True),
        ("{status: [200, 404]}", True),
        ("{status: 2xx, within: 2s}", True),
        ("{status: [401, 403]}", False),
        ("{status: 200, body: Welcome}", False),
        ("{json: {status: healthy}}", False),
        ("{headers: {X-Frame-Options: DENY}}", False),
    ],
)
def test_an_http_check_that_any_page_satisfies_is_doubtful(tmp_path: Path, expect: str, *, doubtful: bool) -> None:
    assert bool(told(tmp_path, WELL.replace("{content_type: text/html}", expect))) is doubtful


@pytest.mark.parametrize(("window", "doubtful"), [("20000s", False), ("20001s", True)])
def test_a_window_of_very_many_values_is_doubtful(tmp_path: Path, window: str, *, doubtful: bool) -> None:
    watch = f"{{watch: 'avg(duration, {window})', warning: '> 500ms'}}"
    watching = f"        every: 1s\n        timeout: 1s\n        thresholds: [{watch}]\n"
    found = [doubt.message for doubt in told(tmp_path, WELL + watching)]
    message = f"avg(duration, {window}) holds more than 20,000 values of each series: run it less often"
    assert found == ([message] if doubtful else [])


def test_what_needs_a_past_is_noted_and_no_doubt(tmp_path: Path) -> None:
    """Nobody can change it, so it must not fail a strict validation for ever."""
    watching = (
        "        thresholds: [{watch: 'usual(duration, 1h)', warning: '> 3'}, {watch: duration, warning: '> 1s'}]\n"
    )
    assert told(tmp_path, WELL + watching) == []
    note = f"{SITE}: usual(duration, 1h) is silent until there are two weeks of history"
    assert notes(load(tmp_path / "one.yaml", DEADMAN)) == [note]
    done = CliRunner().invoke(app, ["validate", "--strict", "-c", str(tmp_path / "one.yaml")], env=DEADMAN)
    assert (done.exit_code, done.stdout) == (0, f"note: {note}\n1 checks of 1 systems, 0 doubts\n")


def test_a_critical_that_rings_no_phone_is_doubtful(tmp_path: Path) -> None:
    doubt = Doubt("a critical of this system rings no phone: no channel that is told has rings: true", "shop")
    assert told(tmp_path, WELL.replace(", rings: true", "")) == [doubt]


def test_a_severity_that_no_route_takes_is_doubtful(tmp_path: Path) -> None:
    """Whether somebody is told depends on the system; severities that nothing can have are none's concern."""
    text = WELL.replace("systems:", "routes: [{severity: info, notify: ops}]\nsystems:")
    assert told(tmp_path, text) == [
        Doubt("no route takes a critical of this system, such as that of site", "shop"),
        Doubt("no route takes a warning of this system, such as that of site", "shop"),
    ]
    others = WELL.replace("systems:", "routes: [{system: shed, notify: ops}]\nsystems:")
    others += "  shed: {checks: {door: {kind: tcp, host: shed.example.com, port: 80}}}\n"
    assert {doubt.key for doubt in told(tmp_path, others)} == {"shop"}


def test_a_check_that_is_switched_off_is_a_note(tmp_path: Path) -> None:
    """Whoever does not set a variable means it; `--strict` must not refuse that."""
    text = WELL.replace("      site:", "      door: {kind: tls, host: a.example.com, if_set: DOOR}\n      site:")
    assert told(tmp_path, text) == []
    assert notes(load(tmp_path / "one.yaml", DEADMAN)) == ["shop/door is skipped: DOOR is not set"]
    assert notes(load(tmp_path / "one.yaml", DEADMAN | {"DOOR": "1"})) == []


def test_a_channel_that_is_skipped_is_doubtful(tmp_path: Path) -> None:
    """Somebody may then hear of nothing."""
    text = WELL.replace("channels:", "channels:\n  pager: {kind: webhook, url: 'https://p.example.com', if_set: PAGER}")
    text = f"routes: [{{notify: ops}}]\n{text}"
    (doubt,) = [doubt for doubt in told(tmp_path, text) if doubt.key == "pager"]
    assert doubt.message == "is skipped: PAGER is not set"


def test_a_timeout_longer_than_the_interval_is_doubtful(tmp_path: Path) -> None:
    (doubt,) = told(tmp_path, WELL + "        every: 5s\n")
    assert doubt.message.startswith("its timeout is longer than the time between two runs")


def test_a_check_that_alerts_nobody_is_doubtful(tmp_path: Path) -> None:
    text = WELL.replace("url: https://shop.example.com/", "kind: tcp\n        host: a.example.com\n        port: 1")
    quiet = text.replace("expect: {content_type: text/html}", "down: {}")
    assert told(tmp_path, quiet) == [Doubt("nothing that it finds alerts anybody", SITE, f"{tmp_path}/one.yaml:6")]


def test_a_file_without_a_channel_and_a_daemon_nobody_watches_are_doubtful(tmp_path: Path) -> None:
    text = "system: shop\nchecks: {site: {kind: tcp, host: a.example.com, port: 1, down: {info: 1}}}\n"
    assert [doubt.key for doubt in told(tmp_path, text, MONITOR_DEADMAN_URL="")] == [
        "shop",
        "channels",
        "MONITOR_DEADMAN_URL",
    ]


def test_variables_that_mean_nothing_and_a_port_without_a_token_are_doubtful(tmp_path: Path) -> None:
    text = WELL.replace("text/html", "'${MONITOR_TYPE}'")
    found = told(tmp_path, text, PORT="10000", MONITOR_TOKENS="x", MONITOR_TYPE="text/html")
    assert [doubt.key for doubt in found] == ["MONITOR_TOKEN", "MONITOR_TOKENS"]


def test_a_channel_that_takes_no_info_never_hears_of_the_week(tmp_path: Path) -> None:
    sms = f'{{kind: sms, account_sid: AC{"0" * 32}, auth_token: t, from: "+15005550006", to: ["+15005550001"]}}'
    text = WELL.replace("systems:", f"  text: {sms}\nroutes: [{{notify: [ops, text]}}]\nsystems:")
    doubt = Doubt("text takes no info, so it never hears of the week", "review")
    assert doubt in told(tmp_path, text + "review: {notify: [ops, text]}\n")
    assert told(tmp_path, WELL + "review: {notify: ops}\n") == []
