"""What is printed for Redis servers, for vendors and for channels; a real Redis is asked in tests/probes."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from monitor.channels.slack.manifest import manifest
from monitor.cli import app
from monitor.config import load
from monitor.grants import sheet
from tests.redis import documented_rights

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.config import Config

QUEUES = """
system: shop
checks:
  cache: {kind: redis, url: "redis://monitor:password@cache:6379/1"}
  arq: {kind: queue, url: "redis://jobs:password@arq:6379/1"}
  list: {kind: queue, type: list, queue: "queue:renders", url: "redis://jobs:password@list:6379/1"}
  zset:
    kind: queue
    type: zset
    unit: s
    queue: "queue:mails"
    health_check_key: "worker:mails"
    url: "redis://jobs:password@zset:6379/1"
  stream: {kind: queue, type: stream, queue: events, group: workers, url: "redis://jobs:password@stream:6379/1"}
"""
VENDORS = """
channels:
  ops: {kind: slack, token: xoxb-1-secret, channel: C0123456789, app_token: xapp-1-secret}
  plain: {kind: slack, webhook_url: "https://hooks.example.com/secret"}
routes: [{notify: [ops, plain]}]
systems:
  shop:
    checks:
      site: https://shop.example.com/
      pools: {kind: pgbouncer, dsn: "postgresql://stats:hush-hush@bouncer:6432/pgbouncer"}
      stripe: {kind: stripe, api_key: rk_live_hush, endpoint: "https://shop.example.com/hook", prices: [price_1]}
      tests: {kind: stripe, api_key: rk_test_hush, livemode: false, deliveries: true}
      sentry: {kind: sentry, org: acme, token: hush-hush}
      supabase: {kind: supabase, project: abcdefghijklmnop, token: sbp_hush}
      shopify: {kind: shopify, shop: ours, token: shpat_hush, topics: [app/uninstalled]}
      deploys: {kind: render, api_key: rnd_hush, services: [api]}
      variables: {kind: render, owner: tea-1, variables_key: rnd_hush2, services: [api], variables: [KEY]}
      canary: {kind: s3, url: "https://s3.example", bucket: files, access_key: hush, secret_key: hush, writes: true}
      backups: {kind: s3, url: "https://s3.example", bucket: files, access_key: hush, secret_key: hush, newest: ""}
      neon: {kind: neon, project: shiny-wind-1, api_key: napi_hush}
"""


@pytest.fixture
def read(tmp_path: Path) -> Config:
    (tmp_path / "monitor.yaml").write_text(VENDORS)
    return load(tmp_path / "monitor.yaml", {})


def test_users_of_redis_are_those_of_the_documentation(tmp_path: Path) -> None:
    """Which tests/probes/test_redis.py and test_queue.py have proven: they suffice, and no right is too many."""
    (tmp_path / "shop.yaml").write_text(QUEUES)
    config = load(tmp_path / "shop.yaml", {})
    printed = [line for line in sheet(config.plans.values(), {}) if line.startswith("ACL")]
    documented = [
        f"ACL SETUSER {user} {' '.join(words)}" for user in ("monitor", "jobs") for words in documented_rights(user)
    ]
    assert printed == documented


def test_checks_of_one_user_share_one_line(tmp_path: Path) -> None:
    """Each line begins from nothing: a second one would take away what the first one gave."""
    text = QUEUES.replace("@arq:", "@cache:").replace("jobs:password@cache", "monitor:password@cache")
    (tmp_path / "shop.yaml").write_text(text)
    printed = sheet(load(tmp_path / "shop.yaml", {}).plans.values(), {})
    (line,) = (line for line in printed if line.startswith("ACL SETUSER monitor"))
    assert "+info +slowlog|len +select +time +zcard" in line
    assert "# for shop/cache, shop/arq" in printed


@pytest.mark.parametrize("user", ["", "default:password@", "hush-hush@"])
def test_a_user_that_may_be_a_password_is_not_shown(tmp_path: Path, user: str) -> None:
    (tmp_path / "shop.yaml").write_text(
        f'system: shop\nchecks: {{cache: {{kind: redis, url: "redis://{user}cache"}}}}\n'
    )
    printed = "\n".join(sheet(load(tmp_path / "shop.yaml", {}).plans.values(), {}))
    assert "ACL SETUSER monitor on" in printed
    assert "hush" not in printed


def test_each_place_is_named_once_with_what_is_given_there(read: Config) -> None:
    blocks = "\n".join(sheet(read.plans.values(), read.channels)).split("\n\n")
    places = {block.splitlines()[0].removeprefix("# "): block.splitlines()[1:] for block in blocks}
    assert len(places) == len(blocks)
    keys = "(Developers, API keys)"
    assert [line for line in places[f"Stripe, a restricted key of live mode {keys}"] if line[0] != "#"] == [
        "Events: Read",
        "Webhook Endpoints: Read",
        "Prices: Read",
    ]
    assert places[f"Stripe, a restricted key of test mode {keys}"][-1] == "Events: Read"
    assert places["PgBouncer at bouncer, pgbouncer.ini"][-1] == "stats_users = stats"
    assert places["the bucket files at s3.example"][-1] == "s3:ListBucket, s3:ListBucketVersions"
    assert places["Slack, api.slack.com/apps: Create New App, From a manifest"][0].endswith("invite it to C0123456789")
    assert not any("site" in line for lines in places.values() for line in lines)


def test_a_slack_app_is_given_by_its_manifest(read: Config) -> None:
    """With buttons, since it has an app-level token; an incoming webhook needs nothing more."""
    (app,) = (one for one in read.channels["ops"].permissions() if one.text.startswith("{"))
    assert '"socket_mode_enabled": true' in app.text
    assert manifest()["oauth_config"]["scopes"]["bot"][0] in app.text
    assert read.channels["plain"].permissions() == ()


def test_a_file_that_needs_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text("system: shop\nchecks: {site: https://shop.example.com/}\n")
    assert sheet(load(tmp_path / "shop.yaml", {}).plans.values(), {}) == [
        "Nothing needs to be allowed: all that is watched is open."
    ]


def command(*words: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["grants", *words])
    return result.exit_code, result.output


def test_the_command_needs_no_variable_and_shows_no_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(
        'system: shop\nchecks:\n  database: "${SHOP_DSN}"\n  other: {kind: postgres, if_set: OTHER, dsn: "${OTHER}"}\n'
        '  named: {kind: sql, dsn: "${OTHER}", if_set: OTHER, query: "SELECT x FROM ${VIEW_NAME}"}\n'
    )
    monkeypatch.setenv("SHOP_DSN", "postgresql://watch:hush-hush@db:5432/shop")
    status, said = command("-c", str(file))
    assert status == 0
    assert "GRANT CONNECT ON DATABASE shop TO watch; -- shop/database" in said
    assert "a PostgreSQL database of shop, whose address is not set" in said
    assert "-- shop/named: the variable that names what it reads is not set" in said
    assert "hush" not in said


def test_the_command_prints_what_one_check_needs_and_refuses_what_there_is_not(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(QUEUES)
    assert command("shop/cache", "-c", str(file))[1].count("ACL") == 1
    assert command("shop", "-c", str(file))[1].count("ACL") == 5
    status, said = command("shop/cash", "-c", str(file))
    assert status == 2
    assert "cache" in said


def test_an_owner_is_told_to_make_a_role_that_may_only_look(tmp_path: Path) -> None:
    (tmp_path / "shop.yaml").write_text(
        "system: shop\nchecks:\n  one: {kind: postgres, dsn: 'postgresql://postgres:pw@db/shop'}\n"
        "  two: {kind: postgres, dsn: 'postgresql://postgres.abc:pw@eu.pooler.supabase.com:6543/postgres'}\n"
        "  three: {kind: sql, dsn: 'postgresql://look.abc:pw@eu.pooler.supabase.com/postgres', query: 'SELECT 1 +'}\n"
    )
    printed = sheet(load(tmp_path / "shop.yaml", {}).plans.values(), {})
    assert printed.count("-- it connects as postgres, who may do more than look: connect as monitor") == 2
    assert "CREATE ROLE look LOGIN PASSWORD '…' CONNECTION LIMIT 3;" in printed
    assert any(line.startswith("-- shop/three: its query is not understood") for line in printed)


def test_the_parser_of_sql_is_imported_by_this_command_alone() -> None:
    program = "import sys, monitor.__main__; sys.exit('sqlglot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
