"""The files of the design, as they stand there, but for what later releases bring."""

from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import load
from monitor.faults import ConfigError
from monitor.model import CheckId, Patience, Reason, Severity
from monitor.reference import SHORTEST
from monitor.routing import Route

HOOK = "https://hooks.slack.com/services/T00/B00/x"

CAPLIQUIFY = """\
system: capliquify
title: CapLiquify
runbook: https://example.com/runbook        # linked from every alert and page
defaults: {every: 30s, timeout: 10s}
checks:
  backend:
    kind: http
    title: Back end health
    url: https://sentia-backend-prod.onrender.com/api/health
    every: 10s
    expect:
      status: 200                           # 200 | [200, 404] | 2xx
      json: {status: healthy, database: connected}   # JMESPath: a value, or a comparison such as "> 0"
    values: {uptime: {path: uptime, unit: seconds}}  # any JSON number becomes a measure
    down: {critical: 3}                     # consecutive failures per level; this is the default
    up: 2                                   # consecutive successes that end it; the default
    retry: {every: 10s}                     # the pace after a failure, from the failed run's end; default min(10s, every)
    remedy:                                 # text, or steps; a step may bring its own evidence
      - Look at the latest deploy; roll back if it began there.
      - {do: See who holds the connections., run: database/duration}
    remedy_for: {dns: Ask the registrar., auth: The key was rotated.}   # by reason, before the general one
    needs: [database]                       # its failure explains ours: our alerts are held back, probing goes on
    thresholds:
      - watch: "p95(duration, 5m)"
        name: slow
        target: "< 200ms"                   # shown; never fires
        warning: "> 300ms"                  # info, warning, critical: any of them
        critical: "> 500ms"
        for: 1m                             # must hold so long
        keep: 2m                            # stays firing until quiet so long; default: for
        remedy: Scale out, or find the slow query.
        source: Alert Thresholds            # where in the runbook the figure stands
  database:
    kind: tcp
    if_set: CAPLIQUIFY_DATABASE_HOST        # unset: the check is listed as skipped, with the reason
    host: ${CAPLIQUIFY_DATABASE_HOST}
    port: 5432
"""  # noqa: E501 - as it stands there

MONITOR = """\
channels:
  ops:     {kind: slack, webhook_url: "${SLACK_WEBHOOK_URL}", fallback: oncall, if_set: SLACK_WEBHOOK_URL}
  oncall:  {kind: email, to: [oncall@example.com], smtp: "${SMTP_URL}"}
  cto:     {kind: email, to: [cto@example.com], smtp: "${SMTP_URL}"}
  hook:    {kind: webhook, url: "${HOOK_URL}"}         # Alertmanager's webhook payload, version 4
routes:                                                # every route that matches applies
  - {severity: critical, notify: [ops, oncall], repeat: 30m}
  - {severity: warning, notify: [ops], repeat: 4h}
  - {severity: info, notify: [oncall]}
"""

ENVIRON = {
    "SLACK_WEBHOOK_URL": HOOK,
    "SMTP_URL": "smtp://me:hunter2@mail.example.com:587",
    "HOOK_URL": "https://hook.example.com/",
    "CAPLIQUIFY_DATABASE_HOST": "db.example.com",
}


def test_the_shortest_whole_file_watches_and_tells(tmp_path: Path) -> None:
    """The kind follows from the address, a sole channel is the default route, TLS expiry is implied."""
    (tmp_path / "monitor.yaml").write_text(SHORTEST)
    config = load(tmp_path / "monitor.yaml", {"SLACK_WEBHOOK_URL": HOOK})
    plan = config.plans[CheckId("shop", "site")]
    assert plan.check.kind == "http"
    assert [threshold.watch.measure for threshold in plan.thresholds] == ["expiry"]
    assert plan.down == {Severity.CRITICAL: Patience(breaches=3, clears=2)}
    assert config.routes == (Route(("ops",)),)
    assert config.channels["ops"].kind == "slack"


def test_the_full_files_load(tmp_path: Path) -> None:
    (tmp_path / "systems").mkdir()
    (tmp_path / "monitor.yaml").write_text(MONITOR)
    (tmp_path / "systems/capliquify.yaml").write_text(CAPLIQUIFY)
    config = load(tmp_path, ENVIRON, ["capliquify"])
    backend = config.plans[CheckId("capliquify", "backend")]
    assert backend.check.every == timedelta(seconds=10)
    assert backend.title == "Back end health"
    assert backend.needs == (CheckId("capliquify", "database"),)
    assert backend.remedy_for[Reason.AUTH] == ("The key was rotated.",)
    assert [threshold.name for threshold in backend.thresholds] == ["slow", "certificate"]
    assert backend.thresholds[0].patience[Severity.CRITICAL] == Patience(
        for_=timedelta(minutes=1), keep=timedelta(minutes=2)
    )
    assert [route.repeat for route in config.routes] == [timedelta(minutes=30), timedelta(hours=4), timedelta(hours=4)]
    assert config.channels["ops"].fallback == "oncall"


@pytest.mark.parametrize(("number", "refused"), [(2, False), (4, True)])
def test_cl_21_the_monitor_stays_under_a_fifth_of_the_limit(tmp_path: Path, number: int, *, refused: bool) -> None:
    """CL-21: 100 requests per 60 s, and checks every 10 s make 6 each."""
    text = (
        'system: capliquify\nrate_limits: [{url: "https://api.example.com/api", requests: 100, per: 60s, share: 20%}]\n'
    )
    text += "defaults: {every: 10s}\nchecks:\n"
    text += "".join(f"  c{n}: https://api.example.com/api/{n}\n" for n in range(number))
    (tmp_path / "capliquify.yaml").write_text(text)
    if refused:
        with pytest.raises(ConfigError, match="the checks ask up to 24 times within 1 min"):
            load(tmp_path, {})
    else:
        assert load(tmp_path, {}).plans


@pytest.mark.parametrize(
    ("check", "refused"),
    [
        ("{url: 'https://api.example.com/api/insights', method: POST, body: x}", True),
        ("{url: 'https://api.example.com/api/insights/now?x=1', body: x}", True),
        ("{url: 'https://API.example.com:443/api/insights', method: POST}", True),
        ("{url: 'https://api.example.com/api/insights'}", False),
        ("{url: 'https://api.example.com/api/insightful', method: POST}", False),
        ("{kind: tls, host: api.example.com}", False),
    ],
)
def test_ed_27_no_check_may_use_up_a_limit_at_all(tmp_path: Path, check: str, *, refused: bool) -> None:
    """ED-27: with a share of nothing, a single check that asks there is refused."""
    limit = '{url: "https://api.example.com/api/insights", method: post, requests: 100, per: 60s, share: 0%}'
    (tmp_path / "ecomdash.yaml").write_text(
        f"system: ecomdash\nrate_limits: [{limit}]\nchecks: {{insights: {check}}}\n"
    )
    if refused:
        with pytest.raises(ConfigError, match=r"ecomdash.rate_limits\[0\]: the checks ask up to 6 times within 1 min"):
            load(tmp_path, {})
    else:
        assert load(tmp_path, {}).plans


def test_ta_27_the_monitor_stays_under_half_of_the_limit(tmp_path: Path) -> None:
    """TA-27: 100 requests per 15 min; every 30 s would make 30, and 90 at the pace after a failure."""
    text = 'system: tatame\nrate_limits: [{url: "https://api.example.com", requests: 100, per: 15m, share: 50%%}]\n'
    text += "checks: {root: {url: 'https://api.example.com/', every: 30s%s}}\n"
    (tmp_path / "tatame.yaml").write_text(text % "")
    with pytest.raises(ConfigError, match="up to 90 times within 15 min"):
        load(tmp_path, {})
    (tmp_path / "tatame.yaml").write_text(text % ", retry: {every: 20s}")
    assert load(tmp_path, {}).plans
