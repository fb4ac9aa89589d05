"""What several checks of a system would imply of one certificate is watched once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.config import load
from monitor.model import CheckId

if TYPE_CHECKING:
    from pathlib import Path

SHARED = """
channels: {ops: "https://hook.example.com/"}
systems:
  shop:
    checks:
      skipped: {url: "https://shop.example.com/", if_set: NOTHING}
      first: https://shop.example.com/
      second: https://SHOP.example.com/cart
      socket: {kind: tls, host: shop.example.com}
      port: https://shop.example.com:8443/
      name: {url: "https://shop.example.com/", tls: {server_name: other.example.com}}
      plain: http://shop.example.com/
      early: https://pay.example.com/
      own: {url: "https://pay.example.com/x", thresholds: [{watch: expiry, warning: "< 30d"}]}
      shown: {url: "https://pay.example.com/y", thresholds: [{watch: expiry, target: "> 30d"}]}
  shed:
    checks: {site: "https://shop.example.com/"}
"""


def test_one_check_of_a_system_watches_a_certificate(tmp_path: Path) -> None:
    """That which watches it itself, else the first that is not skipped; another port or name is another certificate."""
    (tmp_path / "monitor.yaml").write_text(SHARED)
    plans = load(tmp_path / "monitor.yaml", {}).plans
    watching = {str(check) for check, plan in plans.items() if any(one.figures for one in plan.thresholds)}
    assert watching == {"shop/first", "shop/port", "shop/name", "shop/own", "shed/site"}
    first, own = CheckId("shop", "first"), CheckId("shop", "own")
    elsewhere = {check.check: dict(plan.elsewhere) for check, plan in plans.items() if plan.elsewhere}
    assert elsewhere == {
        "second": {"certificate": first},
        "socket": {"certificate": first},
        "early": {"certificate": own},
    }


def test_who_no_longer_watches_a_certificate_has_changed(tmp_path: Path) -> None:
    """So that a reload takes the threshold away."""
    file = tmp_path / "monitor.yaml"
    file.write_text(SHARED)
    second = CheckId("shop", "second")
    before = load(file, {}).plans[second]
    file.write_text(SHARED.replace("      first: https://shop.example.com/\n", ""))
    after = load(file, {}).plans[second]
    assert [threshold.name for threshold in after.thresholds] == ["certificate"]
    assert before.fingerprint != after.fingerprint


DATABASES = """
channels: {ops: "https://hook.example.com/"}
systems:
  shop:
    checks:
      often: {kind: postgres, dsn: "postgresql://m@db/shop"}
      seldom: {kind: postgres, dsn: "postgresql://m@db/shop", every: 10m}
      other: {kind: postgres, dsn: "postgresql://m@db/other"}
      own: {kind: postgres, dsn: "postgresql://m@db/shop", thresholds: [{watch: hidden, critical: "> 0"}]}
"""


def test_what_a_database_implies_is_watched_by_one_of_its_checks(tmp_path: Path) -> None:
    """Two that look at one database would both warn of what our role may not see; not of what one alone takes."""
    (tmp_path / "monitor.yaml").write_text(DATABASES)
    plans = load(tmp_path / "monitor.yaml", {}).plans
    names = {check.check: {threshold.name for threshold in plan.thresholds} for check, plan in plans.items()}
    assert names == {
        "often": {"unmeasured", "wraparound"},
        "seldom": {"unmeasured"},
        "other": {"hidden sessions", "unmeasured", "wraparound"},
        "own": {"hidden", "unmeasured"},
    }
