"""The examples of docs/alerts.md load as they stand, and mean what the page says."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from monitor.config import Config, load
from monitor.model import Alert, AlertKey, CheckId, Severity
from monitor.routing import terms, told_of

PAGE = (Path(__file__).parents[1] / "docs/alerts.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
ENVIRON = {
    "DATABASE_URL": "postgresql://watcher:pass@localhost/shop",
    "SLACK_WEBHOOK_URL": "https://hooks.example.com/services/T0/B0/secret",
    "SMTP_URL": "smtp://localhost",
}
NOON, NIGHT = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 6, 2, tzinfo=UTC)
POOL = Alert(AlertKey(CheckId("shop", "database"), "connections_share"), "Shop: database: connections_share")
HOUR = timedelta(hours=1)


def config_of(folder: Path, **files: str) -> Config:
    (folder / "systems").mkdir()
    for name, text in files.items():
        (folder / ("monitor.yaml" if name == "monitor" else f"systems/{name}.yaml")).write_text(text, "utf-8")
    return load(folder, ENVIRON)


def test_the_routes_do_as_the_page_says(tmp_path: Path) -> None:
    """Critical at once, and later to the CTO; warnings together; those of the pool in business hours too."""
    main = next(example for example in EXAMPLES if "routes:" in example)
    routes = config_of(tmp_path, monitor=main).routes
    assert told_of(routes, POOL, Severity.CRITICAL, NOON) == {"ops", "oncall", "dba"}
    assert told_of(routes, POOL, Severity.CRITICAL, NIGHT) == {"ops", "oncall"}
    assert set(terms(routes, POOL, Severity.CRITICAL, NIGHT, waited=HOUR / 4)) == {"ops", "oncall", "cto"}
    warned = terms(routes, POOL, Severity.WARNING, NIGHT)["ops"]
    assert (warned.leaves, warned.repeat) == (NIGHT + HOUR, 4 * HOUR)
    assert terms(routes, POOL, Severity.INFO, NIGHT)["oncall"].leaves == datetime(2026, 1, 6, 8, tzinfo=UTC)
    closed = next(route for route in routes if route.hours).hours
    assert closed
    assert closed.holidays == {date(2026, 12, 25), date(2027, 1, 1)}


def test_the_maintenance_is_as_the_page_says(tmp_path: Path) -> None:
    """Dated and announced, weekly for one check, nightly by cron."""
    main = next(example for example in EXAMPLES if "maintenance:" in example)
    dated, weekly, nightly = config_of(tmp_path, monitor=main).maintenance
    begin = datetime(2026, 12, 5, 22, tzinfo=UTC)
    assert list(dated.coming(begin - timedelta(days=1))) == [(begin, begin + 2 * HOUR)]
    assert [silence.scope.check for silence in weekly.silences((begin, begin))] == ["site"]  # type: ignore[arg-type]
    assert [end - start for start, end in nightly.coming(datetime(2026, 1, 5, 4, 35, tzinfo=UTC))] == [HOUR / 6]
