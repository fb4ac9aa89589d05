import json
import os
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.channels.email import EmailChannel
from monitor.channels.slack import SlackChannel
from monitor.config import Config, Skipped, System, load
from monitor.config.section import Context, Section
from monitor.config.variables import Variables
from monitor.config.yaml_file import Document
from monitor.faults import ConfigError
from monitor.model import CheckId, Patience, Reason, Severity
from monitor.probes import KINDS
from monitor.probes.tcp import TcpCheck
from monitor.routing import Route
from monitor.secrets import Secret
from monitor.units import Unit

HOOK = "https://hooks.slack.com/services/T00/B00/hunter2"
SITE = CheckId("shop", "site")
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes files into a folder, one for each keyword, and returns the folder or the only file."""

    def write_files(**files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return write_files


def told(source: Path, environ: Mapping[str, str] | None = None, systems: list[str] | None = None) -> list[str]:
    """Return the faults of `source`, without the folder."""
    with pytest.raises(ConfigError) as caught:
        load(source, environ or {}, systems or [])
    return [line.replace(f"{source}/", "") for line in str(caught.value).splitlines()]


def one(text: str, tmp_path: Path, **environ: str) -> Config:
    (tmp_path / "one.yaml").write_text(text, "utf-8")
    return load(tmp_path / "one.yaml", environ)


SHOP = "system: shop\ntitle: The shop\nchecks: {site: tls://shop.example.com}\n"
INLINE = "systems: {shop: {checks: {site: 'tls://shop.example.com'}}}\n"
SHED = "system: shed\nchecks: {door: tls://shed.example.com}\n"
MAIN = 'channels: {ops: "${SLACK_WEBHOOK_URL}"}\n'


class TestFiles:
    def test_a_folder_holds_the_main_file_and_the_systems_beside_or_below_it(self, write: Write) -> None:
        source = write(monitor=MAIN, shop=SHOP, systems__shed=SHED)
        config = load(source, {"SLACK_WEBHOOK_URL": HOOK})
        assert list(config.systems) == ["shop", "shed"]
        assert config.systems["shop"] == System("shop", "The shop")
        assert config.plans[SITE].where == f"{source}/shop.yaml:3"
        assert isinstance(config.channels["ops"], SlackChannel)

    def test_a_flat_folder_and_a_single_file_need_no_main_file(self, write: Write) -> None:
        source = write(shop=SHOP, shed=SHED)
        assert list(load(source, {}).plans) == [CheckId("shed", "door"), SITE]
        assert list(load(source / "shop.yaml", {}).plans) == [SITE]

    def test_other_files_and_hidden_ones_are_left_alone(self, write: Write) -> None:
        source = write(shop=SHOP, grafana__board="- not ours\n")
        (source / ".hidden.yaml").write_text("- not ours\n")
        (source / "notes.txt").write_text("not ours\n")
        assert list(load(source, {}).plans) == [SITE]

    def test_an_empty_folder_is_a_fault(self, tmp_path: Path) -> None:
        hint = "it needs monitor.yaml, or a file for each system"
        with pytest.raises(ConfigError, match=f"the folder holds no file that ends in .yaml or .yml; {hint}"):
            load(tmp_path, {})

    def test_a_source_that_is_not_there_is_a_fault(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"nowhere: cannot be read: No such file or directory"):
            load(tmp_path / "nowhere", {})

    @pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not")
    @pytest.mark.parametrize("name", ["", "systems", "shop.yaml"])
    def test_what_may_not_be_read_is_a_fault(self, write: Write, name: str) -> None:
        source = write(shop=SHOP, systems__shed=SHED)
        for folder in (source, *source.parents[:3]):
            folder.chmod(0o755)
        (source / name).chmod(0)
        os.seteuid(65_534)
        try:
            assert [line.split(": ", 1)[1] for line in told(source)] == ["cannot be read: Permission denied"]
        finally:
            os.seteuid(0)

    def test_a_file_in_a_folder_that_may_not_be_entered_is_a_fault(self, write: Write) -> None:
        """Not even whether it is there can be told: a name that is too long behaves alike, for root too."""
        with pytest.raises(ConfigError, match="cannot be read: File name too long"):
            load(write(shop=SHOP) / ("x" * 300), {})

    def test_faults_of_all_files_are_told_at_once(self, write: Write) -> None:
        rest = "limits, retention, flapping, drills, holidays, review"
        source = write(monitor="chanels: {}\n", shop=SHOP + "color: red\n", shed="- a\n", sty="a: [\n")
        assert [line.replace(rest, "…").replace("rate_limits, deploys", "…") for line in told(source)] == [
            "monitor.yaml:1: chanels: unknown key; did you mean channels? allowed: channels, routes, systems, …",
            "shed.yaml:1: must be a mapping (key: value), and is a list",
            (
                "shop.yaml:4: shop.color: unknown key; "
                "allowed: title, runbook, public, zone, defaults, …, maintenance, checks"
            ),
            "sty.yaml:2: is not YAML: expected the node content, but found '<stream end>'",
        ]

    def test_a_second_main_file_is_a_fault(self, write: Write) -> None:
        source = write(monitor=MAIN, other="channels: {}\n", shop=SHOP)
        wanted = f"other.yaml:1: {source}/monitor.yaml is the main file already".replace(f"{source}/", "")
        assert told(source, {"SLACK_WEBHOOK_URL": HOOK})[0].startswith(wanted)

    def test_a_system_named_twice_names_both_places(self, write: Write) -> None:
        inline = "systems: {shop: {checks: {a: tls://a.example.com}}}\n"
        source = write(monitor=inline, other=SHOP, shop=SHOP)
        assert told(source) == [
            "other.yaml:1: shop.system: there is a system 'shop' already, in monitor.yaml:1",
            "shop.yaml:1: shop.system: there is a system 'shop' already, in monitor.yaml:1",
        ]


class TestSelection:
    def test_only_the_named_systems_are_watched(self, write: Write) -> None:
        assert list(load(write(shop=SHOP, shed=SHED), {}, ["shed"]).systems) == ["shed"]

    def test_an_unknown_system_is_a_fault(self, write: Write) -> None:
        assert told(write(shop=SHOP), systems=["shopp"]) == [
            "MONITOR_SYSTEMS: there is no system 'shopp'; did you mean shop? allowed: shop"
        ]

    def test_a_system_named_as_an_argument_is_no_fault_of_the_environment(self, write: Write) -> None:
        with pytest.raises(ConfigError) as caught:
            load(write(shop=SHOP), {}, ["shopp"], named_in="")
        assert [str(fault) for fault in caught.value.faults] == [
            "there is no system 'shopp'; did you mean shop? allowed: shop"
        ]

    def test_variables_of_other_systems_need_not_be_set_but_their_shape_must_be_right(self, write: Write) -> None:
        unset = "system: shed\nrunbook: ${WIKI}\nchecks: {door: {kind: tcp, host: '${HOST}', port: '${PORT}'}}\n"
        source = write(shop=SHOP, shed=unset)
        assert list(load(source, {}, ["shop"]).plans) == [SITE]
        (source / "shed.yaml").write_text(unset.replace("kind: tcp", "kind: tpc"))
        assert told(source, systems=["shop"]) == [
            f"shed.yaml:3: shed/door.kind: 'tpc' is not a kind of check; did you mean tcp? allowed: {', '.join(KINDS)}"
        ]

    def test_a_route_may_name_a_system_that_is_not_selected(self, write: Write) -> None:
        main = MAIN + "routes: [{system: shed, notify: ops}]\n"
        config = load(write(monitor=main, shop=SHOP, shed=SHED), {"SLACK_WEBHOOK_URL": HOOK}, ["shop"])
        assert config.routes[0].systems == {"shed"}


class TestSkipping:
    CHECKS = """system: shop
checks:
  database: {kind: tcp, if_set: DB_HOST, host: "${DB_HOST}", port: "${DB_PORT}", every: "${DB_EVERY}"}
  site: {kind: tls, host: shop.example.com, needs: [database]}
"""

    def test_a_check_whose_variable_is_not_set_is_listed_and_explains_nothing(self, tmp_path: Path) -> None:
        config = one(self.CHECKS, tmp_path)
        assert list(config.plans) == [SITE]
        assert config.plans[SITE].needs == ()
        assert config.skipped == (Skipped("shop/database", "DB_HOST is not set"),)

    def test_an_empty_variable_is_not_set(self, tmp_path: Path) -> None:
        assert one(self.CHECKS, tmp_path, DB_HOST="").skipped

    def test_a_check_whose_variable_is_set_is_watched(self, tmp_path: Path) -> None:
        config = one(self.CHECKS, tmp_path, DB_HOST="db.example.com", DB_PORT="5432", DB_EVERY="5s")
        assert config.plans[SITE].needs == (CheckId("shop", "database"),)
        database = config.plans[CheckId("shop", "database")].check
        assert isinstance(database, TcpCheck)
        assert (database.port, database.every) == (5432, timedelta(seconds=5))
        assert "DB_HOST" in config.variables

    def test_once_it_is_set_its_other_variables_must_be(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="the variable DB_PORT is not set") as caught:
            one(self.CHECKS, tmp_path, DB_HOST="db.example.com")
        assert len(caught.value.faults) == 2

    def test_a_condition_among_the_defaults_is_that_of_every_check(self, tmp_path: Path) -> None:
        text = "system: shop\ndefaults: {if_set: SHOP}\nchecks: {site: 'tls://${SHOP}', door: tls://door.example.com}\n"
        assert [skip.name for skip in one(text, tmp_path).skipped] == ["shop/site", "shop/door"]

    def test_the_shape_of_a_skipped_check_is_looked_at_all_the_same(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match=r"shop/database.up: must be a whole number"):
            one(self.CHECKS.replace("kind: tcp,", "kind: tcp, up: many,"), tmp_path)


class TestVariables:
    TEXT = """channels: {ops: {kind: email, to: ["${ONCALL}"], smtp: "${SMTP}"}}
systems:
  shop:
    title: ${TITLE}
    checks:
      site:
        kind: tcp
        host: ${SHOP_HOST}
        port: ${SHOP_PORT}
        title: ${TITLE}
        send: ${SEND}
        every: ${EVERY:-15s}
        up: ${UP:-3}
"""
    ENVIRON: Mapping[str, str] = {
        "ONCALL": "oncall@example.com",
        "SMTP": "smtp://me:hunter2@mail.example.com:587",
        "TITLE": "2026",
        "SHOP_HOST": "shop.example.com",
        "SHOP_PORT": "8443",
        "SEND": "12345",
    }

    def test_a_value_is_a_number_where_a_number_and_a_text_where_a_text_is_wanted(self, tmp_path: Path) -> None:
        plan = one(self.TEXT, tmp_path, **self.ENVIRON).plans[SITE]
        check = plan.check
        assert isinstance(check, TcpCheck)
        assert (check.host, check.port, check.title, check.up) == ("shop.example.com", 8443, "2026", 3)
        assert check.send == Secret("12345")
        assert check.every == timedelta(seconds=15)
        assert plan.system_title == "2026"

    def test_every_value_that_may_be_a_secret_is_known(self, tmp_path: Path) -> None:
        """The public ones are the host and the port; the server's password is known by itself too."""
        config = one(self.TEXT, tmp_path, **self.ENVIRON)
        assert {secret.reveal() for secret in config.secrets} == {
            "oncall@example.com",
            "smtp://me:hunter2@mail.example.com:587",
            "hunter2",
            "2026",
            "12345",
        }
        assert "hunter2" not in repr(config)

    def test_a_secret_in_the_file_itself_is_known_too(self, tmp_path: Path) -> None:
        config = one(f"channels: {{ops: '{HOOK}?key=sesame'}}\n{INLINE}", tmp_path)
        assert {secret.reveal() for secret in config.secrets} == {f"{HOOK}?key=sesame", "sesame"}
        assert "sesame" not in repr(config)

    def test_no_fault_shows_a_secret(self, tmp_path: Path) -> None:
        """Neither the value of a variable, however short, nor part of it, nor one that stands in the file."""
        secrets = {"SMTP": "smtp://me:hunter2@[", "SHOP_PORT": "x7", "UP": "hunter2", "TITLE": "t", "EVERY": "zz"}
        with pytest.raises(ConfigError) as caught:
            one(self.TEXT, tmp_path, **{**self.ENVIRON, **secrets})
        text = str(caught.value)
        assert len(caught.value.faults) == 4
        assert not any(f"{secret}'" in text for secret in secrets.values())
        assert "hunter2" not in text
        assert "shop/site.every: '${EVERY:-15s}' is not a duration" in text

    def test_what_cannot_be_read_without_an_unset_variable_is_no_second_fault(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError) as caught:
            one(self.TEXT.replace("${EVERY:-15s}", "about ${EVERY}"), tmp_path, **self.ENVIRON)
        assert [fault.message for fault in caught.value.faults] == ["the variable EVERY is not set"]

    def test_placeholders_stand_in_for_everything_and_nothing_is_skipped(self, tmp_path: Path) -> None:
        (tmp_path / "one.yaml").write_text(self.TEXT.replace("kind: tcp", "if_set: SHOP_HOST\n        kind: tcp"))
        config = load(tmp_path / "one.yaml", {}, placeholders=True)
        assert list(config.plans) == [SITE]
        assert isinstance(config.channels["ops"], EmailChannel)

    def test_placeholders_hide_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "one.yaml").write_text(self.TEXT.replace("${EVERY:-15s}", "often ${EVERY}"))
        with pytest.raises(ConfigError, match=r"shop/site.every: 'often \${EVERY}' is not a duration"):
            load(tmp_path / "one.yaml", {}, placeholders=True)

    def test_placeholders_fit_short_forms_too(self, tmp_path: Path) -> None:
        text = "channels: {ops: '${HOOK}', oncall: 'mailto:a@example.com?smtp=${SMTP}'}\n"
        text += "routes: [{notify: [ops, oncall]}]\n"
        text += "systems: {shop: {checks: {site: '${SITE}', door: 'tcp://${HOST}:${PORT}'}}}\n"
        (tmp_path / "one.yaml").write_text(text)
        config = load(tmp_path / "one.yaml", {}, placeholders=True)
        assert [channel.kind for channel in config.channels.values()] == ["webhook", "email"]
        assert [plan.check.kind for plan in config.plans.values()] == ["http", "tcp"]


class TestPlans:
    FULL = """system: shop
title: The shop
runbook: https://example.com/runbook
defaults: {every: 10s, port: 8443, remedy: "Ask the host."}
checks:
  site:
    kind: tcp
    host: shop.example.com
    title: Front door
    timeout: 4s
    down: {warning: 1, critical: 5}
    up: 3
    remedy:
      - Look at the latest deploy.
      - {do: Roll it back.}
    remedy_for: {dns: "Ask the registrar.\\nThen wait."}
    needs: [name]
    thresholds:
      - watch: "p95(duration, 5m)"
        name: slow
        target: "< 200ms"
        warning: "> 300ms"
        critical: "> 500ms"
        for: {warning: 2m, critical: 1m}
        remedy: Scale out.
        source: Alert Thresholds
      - {watch: 'avg(phase{phase="dns"}, 1m)', info: "> 1s", for: 30s, keep: 5m}
  name: {kind: dns, name: shop.example.com}
  certificate: tls://shop.example.com
"""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return one(self.FULL, tmp_path)

    def test_a_plan_has_all_that_the_daemon_needs(self, config: Config, tmp_path: Path) -> None:
        plan = config.plans[SITE]
        assert (plan.id, plan.title, plan.system_title) == (SITE, "Front door", "The shop")
        assert plan.runbook == "https://example.com/runbook"
        assert plan.where == f"{tmp_path}/one.yaml:6"
        assert plan.down == {
            Severity.WARNING: Patience(breaches=1, clears=3),
            Severity.CRITICAL: Patience(breaches=5, clears=3),
        }
        assert plan.remedy == ("Look at the latest deploy.", "Roll it back.")
        assert plan.remedy_for == {Reason.DNS: ("Ask the registrar.", "Then wait.")}
        assert plan.needs == (CheckId("shop", "name"),)
        assert repr(plan) == "<Plan shop/site tcp>"

    def test_thresholds_are_ready_to_judge(self, config: Config) -> None:
        slow, names = config.plans[SITE].thresholds
        assert (slow.name, slow.unit, slow.target, slow.remedy) == ("slow", Unit.SECONDS, "< 200ms", ("Scale out.",))
        assert [(figure.severity, figure.value) for figure in slow.figures] == [
            (Severity.WARNING, 0.3),
            (Severity.CRITICAL, 0.5),
        ]
        minute = timedelta(minutes=1)
        assert slow.patience == {
            Severity.WARNING: Patience(for_=2 * minute, keep=2 * minute),
            Severity.CRITICAL: Patience(for_=minute, keep=minute),
        }
        assert names.name == 'avg(phase{phase="dns"}, 1m)'
        assert names.patience == {Severity.INFO: Patience(for_=minute / 2, keep=5 * minute)}
        assert config.plans[SITE].threshold("slow") is slow
        assert config.plans[SITE].threshold("fast") is None

    def test_what_comes_with_a_kind_is_there_unless_the_file_watches_it_itself(
        self, config: Config, tmp_path: Path
    ) -> None:
        certificate = CheckId("shop", "certificate")
        assert [threshold.name for threshold in config.plans[certificate].thresholds] == ["certificate"]
        own = "{kind: tls, host: shop.example.com, thresholds: [{watch: expiry, critical: '< 3d'}]}"
        config = one(self.FULL.replace("tls://shop.example.com", own), tmp_path)
        assert [threshold.name for threshold in config.plans[certificate].thresholds] == ["expiry"]

    def test_defaults_reach_the_kinds_that_know_them(self, config: Config) -> None:
        checks = {plan.id.check: plan.check for plan in config.plans.values()}
        assert {check.every for check in checks.values()} == {timedelta(seconds=10)}
        assert getattr(checks["certificate"], "port", None) == 8443
        assert not hasattr(checks["name"], "port")
        assert checks["certificate"].remedy == "Ask the host."

    def test_a_fingerprint_changes_with_the_check_and_with_nothing_else(self, config: Config, tmp_path: Path) -> None:
        """Secrets count, although they print alike."""
        was = {name: plan.fingerprint for name, plan in config.plans.items()}
        again = one("# moved down\n" + self.FULL, tmp_path).plans
        assert {name: plan.fingerprint for name, plan in again.items()} == was
        other = one(self.FULL.replace("remedy: Scale out", "remedy: Grow"), tmp_path).plans
        assert {name for name, plan in other.items() if plan.fingerprint != was[name]} == {SITE}
        title = one(self.FULL.replace("The shop", "Our shop"), tmp_path).plans
        assert all(plan.fingerprint != was[name] for name, plan in title.items())
        one_send, other_send = (
            one(
                f"system: shop\nchecks: {{site: {{kind: tcp, host: a.example.com, port: 1, send: {text}}}}}\n", tmp_path
            )
            for text in ("secret-a", "secret-b")
        )
        assert one_send.plans[SITE].fingerprint != other_send.plans[SITE].fingerprint

    def test_what_is_skipped_from_needs_changes_the_fingerprint(self, tmp_path: Path) -> None:
        text = TestSkipping.CHECKS
        alone = one(text, tmp_path).plans[SITE]
        both = one(text, tmp_path, DB_HOST="db.example.com", DB_PORT="1", DB_EVERY="1s").plans[SITE]
        assert alone.fingerprint != both.fingerprint


class TestTelling:
    def test_a_sole_channel_is_told_of_everything(self, tmp_path: Path) -> None:
        config = one(MAIN + INLINE, tmp_path, SLACK_WEBHOOK_URL=HOOK)
        assert config.routes == (Route(notify=("ops",)),)
        assert config.routes[0].repeat == timedelta(hours=4)

    CHANNELS = """channels:
  ops: {kind: webhook, url: "https://a.example.com/", fallback: oncall, if_set: OPS}
  oncall: {kind: webhook, url: "https://b.example.com/", fallback: cto, if_set: ONCALL}
  cto: {kind: webhook, url: "https://c.example.com/", rings: true}
routes:
  - {severity: [critical, warning], system: shop, notify: [ops, oncall, ops], repeat: 30m}
  - {severity: info, notify: oncall}
  - {severity: [info, warning, critical], notify: cto}
limits: {in_flight: 50, per_host: "${PER_HOST:-2}"}
retention: {samples: 7d, size: 500MB, hours: 30d}
systems: {shop: {checks: {site: "tls://shop.example.com"}}}
"""

    def test_routes_say_who_is_told_of_what(self, tmp_path: Path) -> None:
        config = one(self.CHANNELS, tmp_path, OPS="1", ONCALL="1")
        assert config.routes == (
            Route(("ops", "oncall"), frozenset({Severity.CRITICAL, Severity.WARNING}), frozenset({"shop"}), HALF_HOUR),
            Route(("oncall",), frozenset({Severity.INFO}), place=1),
            Route(("cto",), place=2),
        )
        assert config.channels["ops"].fallback == "oncall"
        assert (config.limits.in_flight, config.limits.per_host) == (50, 2)
        assert config.retention.size == 500_000_000

    def test_a_channel_is_told_only_of_the_severities_it_takes(self, tmp_path: Path) -> None:
        """Also as the only channel, and without a route that would tell it of nothing."""
        phones = f"{{kind: sms, account_sid: AC{0:032}, auth_token: x, from: '+15005550006', to: ['+15005550010']}}"
        text = self.CHANNELS.replace("  cto: {", f"  phones: {phones}\n  cto: {{")
        text = text.replace("[ops, oncall, ops]", "[ops, phones, oncall]").replace("notify: oncall", "notify: phones")
        config = one(text, tmp_path, OPS="1", ONCALL="1")
        assert [(route.notify, route.severities) for route in config.routes] == [
            (("ops", "oncall"), {Severity.CRITICAL, Severity.WARNING}),
            (("phones",), {Severity.CRITICAL}),
            (("cto",), frozenset()),
        ]
        assert [route.repeat for route in config.routes[:2]] == [HALF_HOUR, HALF_HOUR]
        alone = one(f"channels: {{phones: {phones}}}\n{INLINE}", tmp_path)
        assert alone.routes == (Route(("phones",), frozenset({Severity.CRITICAL})),)

    def test_a_skipped_channel_is_left_out_and_its_fallback_stands_in_for_it_as_a_fallback(
        self, tmp_path: Path
    ) -> None:
        config = one(self.CHANNELS, tmp_path, OPS="1")
        assert list(config.channels) == ["ops", "cto"]
        assert config.channels["ops"].fallback == "cto"
        assert [route.notify for route in config.routes] == [("ops",), ("cto",)]
        assert config.skipped == (Skipped("oncall", "ONCALL is not set"),)

    def test_with_every_fallback_skipped_there_is_none(self, tmp_path: Path) -> None:
        text = self.CHANNELS.replace("rings: true", "rings: true, if_set: CTO")
        assert one(text, tmp_path, OPS="1").channels["ops"].fallback == ""

    def test_a_sole_channel_that_is_skipped_has_no_route(self, tmp_path: Path) -> None:
        text = "channels: {ops: {kind: slack, webhook_url: '${HOOK}', if_set: HOOK}}\n" + INLINE
        assert one(text, tmp_path).routes == ()

    def test_a_circle_among_skipped_channels_ends(self, tmp_path: Path) -> None:
        text = self.CHANNELS.replace("rings: true", "rings: true, fallback: oncall, if_set: CTO")
        with pytest.raises(ConfigError, match=r"channels.oncall.fallback: falls back to itself: oncall → cto → oncall"):
            one(text, tmp_path, OPS="1")


HALF_HOUR = timedelta(minutes=30)


class TestRateLimits:
    def test_requests_within_the_share_are_fine(self, tmp_path: Path) -> None:
        one(BUDGET.format(every="10s", share="20%"), tmp_path)

    def test_more_than_the_share_is_refused_at_the_pace_after_a_failure(self, tmp_path: Path) -> None:
        """Every 30 s asks twice a minute while all is well, and 6 times while it fails at once."""
        with pytest.raises(ConfigError) as caught:
            one(BUDGET.format(every="30s", share="5%"), tmp_path)
        assert str(caught.value) == (
            f"{tmp_path}/one.yaml:3: shop.rate_limits[0]: the checks ask up to 12 times within 1 min (a 6, b 6), "
            "and 5 % of 100 is 5; run them less often; after a failure retry.every is the pace"
        )

    def test_a_slower_pace_after_a_failure_counts(self, tmp_path: Path) -> None:
        one(BUDGET.format(every="30s, retry: {every: 30s}", share="5%"), tmp_path)


BUDGET = """system: shop
rate_limits:
  - {{url: https://api.example.com/v1/, requests: 100, per: 60s, share: {share}}}
checks:
  a: {{kind: http, url: https://api.example.com/v1, every: {every}}}
  b: {{kind: http, url: https://api.example.com:443/v1/health, every: {every}}}
  other_path: {{kind: http, url: https://api.example.com/v10, every: 1s}}
  other_host: {{kind: http, url: https://api.example.org/v1, every: 1s}}
  other_scheme: {{kind: http, url: http://api.example.com/v1, every: 1s}}
"""


def test_a_thousand_checks_load_quickly(tmp_path: Path) -> None:
    """Not timed here: that they load at all, with their thresholds."""
    check = (
        "  c{n}: {{kind: tcp, host: c{n}.example.com, port: 80, thresholds: [{{watch: duration, warning: '> 1s'}}]}}\n"
    )
    text = "system: shop\nchecks:\n" + "".join(check.format(n=n) for n in range(1_000))
    assert len(one(text, tmp_path).plans) == 1_000


def test_sections_keep_no_fault_to_themselves_when_a_value_has_no_place() -> None:
    """What is dropped may not be there: a key that is required."""
    section = Section(Document("a.yaml"), (), Context(Variables({})))
    section.put("a", {"b": [1, {"c": 2}]})
    section.drop(("a", "x", "y"))
    section.drop(())
    assert section.data == {"a": {"b": [1, {"c": 2}]}}
    section.drop(("a", "b", 1, "c"))
    section.drop(("a", "b", 0))
    assert section.data == {"a": {}}


VOCABULARY = """
kind tcp tls dns http every 30s url host port thresholds watch warning duration checks system
systems channels routes notify ops shop site ${A} ${B} ${ $${ needs if_set A B defaults remedy
fallback severity critical https://example.com/ tls://x.example.com slack webhook email rate_limits
requests per share 20% expect down retry for keep remedy_for title to smtp name type
"""
WORDS = st.sampled_from([*VOCABULARY.split(), "p95(duration, 5m)", "> 300ms", "", "\0"])
VALUES = st.recursive(
    st.one_of(WORDS, WORDS, st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(WORDS, inner, max_size=6)),
    max_leaves=30,
)
CHECKS = st.fixed_dictionaries(
    {}, optional={"kind": WORDS, "host": VALUES, "port": VALUES, "url": VALUES, "name": VALUES}
)
FILES = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {"system": WORDS, "checks": st.dictionaries(WORDS, st.one_of(CHECKS, VALUES), max_size=3)},
        optional={"defaults": VALUES, "title": VALUES, "rate_limits": VALUES},
    ),
    st.fixed_dictionaries(
        {"channels": st.dictionaries(WORDS, VALUES, max_size=2), "systems": VALUES}, optional={"routes": VALUES}
    ),
)


@given(
    FILES, st.dictionaries(st.sampled_from(["A", "B"]), st.sampled_from(["", "1", "text", "https://a.example.com/"]))
)
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200, deadline=None)
def test_whatever_a_file_says_it_is_a_configuration_or_faults(
    tmp_path_factory: pytest.TempPathFactory, data: object, environ: dict[str, str]
) -> None:
    """No shape of values, right or wrong, raises anything else; JSON is YAML."""
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(json.dumps(data), "utf-8")
    for placeholders in (False, True):
        outcome = loaded(file, environ, placeholders=placeholders)
        if isinstance(outcome, ConfigError):
            assert outcome.faults
            assert all(fault.file == str(file) for fault in outcome.faults)
        else:
            assert outcome.plans or outcome.skipped


def loaded(file: Path, environ: Mapping[str, str], *, placeholders: bool) -> Config | ConfigError:
    try:
        return load(file, environ, placeholders=placeholders)
    except ConfigError as error:
        return error


REVIEWED = """
channels: {ops: "https://hooks.slack.com/services/T0/B0/t", lead: {kind: webhook, url: "${LEAD}", if_set: LEAD}}
routes: [{notify: ops}]
review: %s
systems: {shop: {checks: {site: "https://shop.example.com/"}}}
"""


def test_a_review_goes_to_the_channels_that_there_are(write: Write) -> None:
    """Those that are skipped do without, and where none is left there is none; the moment defaults to Monday, nine."""
    both = write(monitor=REVIEWED % "{notify: [ops, lead], at: 'Fri 17:30 Europe/Berlin'}")
    review = load(both, {}).review
    assert review is not None
    assert (review.notify, review.at.zone, review.at.days) == (("ops",), "Europe/Berlin", frozenset({4}))
    told = load(both, {"LEAD": "https://lead.example.com/"}).review
    assert told is not None
    assert told.notify == ("ops", "lead")
    usual = load(write(monitor=REVIEWED % "{notify: ops}"), {}).review
    assert usual is not None
    assert usual.at.text == "Mon 09:00"
    assert load(write(monitor=REVIEWED % "{notify: lead}"), {}).review is None
    assert load(write(monitor=REVIEWED % ""), {}).review is None


@pytest.mark.parametrize(("review", "fault"), [
    ("{notify: opps}", "there is no channel 'opps'"),
    ("{notify: [ops, opps]}", "there is no channel 'opps'"),
    ("{notify: '${NOBODY}'}", "NOBODY"),
    ("{notify: ops, at: '09:00'}", "is no moment of the week such as Mon 09:00"),
    ("{notify: ops, at: 'Mon,Tue 09:00'}", "it names one day"),
    ("{notify: ops, at: 'Mon 25:00'}", "is not a time such as 09:00"),
    ("{at: 'Mon 09:00'}", "notify"),
    ("weekly", "review"),
])  # fmt: skip
def test_what_is_wrong_with_a_review(write: Write, review: str, fault: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(write(monitor=REVIEWED % review), {})
    assert fault in str(caught.value)
    assert len(caught.value.faults) == 1
