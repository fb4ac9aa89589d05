"""A viewer for tests: five systems in every condition, as they might stand on a bad day; or a thousand checks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from monitor.live import Live
from monitor.model import Alert, AlertKey, CheckId, Reason, Severity, State
from monitor.units import Unit
from monitor.uptime import Uptime
from monitor.view import Cell, CheckDetail, CheckView, Condition, FigureView, Overview, Plot, SystemView
from tests.fakes import START

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.incidents import Incident
    from monitor.model import Deploy, Sample

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
WORST = {Condition.CRITICAL: Severity.CRITICAL, Condition.WARNING: Severity.WARNING, Condition.INFO: Severity.INFO}
WELL = (State.UP, None, "")
DETAILS = {
    Condition.FAILING: (State.DOWN, Reason.STATUS, "503, expected 200"),
    Condition.UNKNOWN: (State.UNKNOWN, Reason.RATE_LIMITED, "the API of Render answers 429"),
}


def cells(condition: Condition, at: datetime = START) -> tuple[Cell, ...]:
    """Return a day that ends as `condition` says, with a bad hour and one that nobody looked at."""
    hours = [Cell(at - HOUR * back, up=120) for back in range(23, -1, -1)]
    hours[2] = Cell(hours[2].at)
    if condition is not Condition.UP:
        hours[9] = Cell(hours[9].at, up=100, down=20, worst=Severity.WARNING)
        hours[15] = Cell(hours[15].at, up=100, unknown=20)
    hours[-1] = Cell(at, up=10, down=9 if condition.rank < Condition.UNKNOWN.rank else 0, worst=WORST.get(condition))
    return tuple(hours)


def uptime(share: float, span: timedelta) -> Uptime:
    """Return an uptime of that share of `span`."""
    return Uptime(span * share, span * (1 - share))


def check(system: str, name: str, title: str, condition: Condition = Condition.UP, *figures: FigureView) -> CheckView:
    """Return a check that stands as `condition` says."""
    identity = CheckId(system, name)
    if condition is Condition.SKIPPED:
        return CheckView(identity, title, "http", condition, timedelta(seconds=30), skipped="SHOP_KEY is not set")
    worst = WORST.get(condition)
    down = worst is Severity.CRITICAL and not figures
    found = (State.DOWN, Reason.TIMEOUT, "no answer within 10 s") if down else DETAILS.get(condition, WELL)
    seen = condition is not Condition.WAITING
    return CheckView(
        identity,
        title,
        "http",
        condition,
        every=timedelta(seconds=30),
        state=found[0] if seen else None,
        reason=found[1],
        detail=found[2],
        at=START - timedelta(seconds=12) if seen else None,
        since=START - timedelta(minutes=14) if worst else None,
        figures=figures,
        alerts=(alert(identity, worst),) if worst else (),
        strip=cells(condition) if seen else (),
        day=uptime(0.9987 if worst else 1, DAY) if seen else Uptime(),
        month=uptime(0.99963, MONTH) if seen else Uptime(),
    )


def alert(identity: CheckId, severity: Severity) -> Live:
    """Return an alert of that severity that fires."""
    key = AlertKey(identity, "slow")
    return Live(Alert(key, severity=severity, since=START - timedelta(minutes=14)), "612 ms", "> 500ms", ())


def slow(shown: str = "612 ms", value: float = 0.612, firing: Severity | None = None) -> FigureView:
    """Return a figure of a response time."""
    figures = {Severity.WARNING: "> 300ms", Severity.CRITICAL: "> 500ms"}
    return FigureView("slow", "p95(duration, 5m)", Unit.SECONDS, (), value, shown, "< 200ms", figures, firing)


def full(shown: str = "81 %", value: float = 0.81, firing: Severity | None = None) -> FigureView:
    """Return a figure of the connections of a database."""
    figures = {Severity.WARNING: "> 80%", Severity.CRITICAL: "> 95%"}
    return FigureView("connections", "connections_used", Unit.RATIO, (), value, shown, "", figures, firing)


def expiry(shown: str = "61 d", value: float = 61 * 86_400.0) -> FigureView:
    """Return the figure of a certificate, which comes with the kind."""
    figures = {Severity.WARNING: "< 14d"}
    return FigureView("expiry", "expiry", Unit.TIMESTAMP, (), value, shown, "", figures, implied=True)


def system(name: str, title: str, *checks: CheckView, public: bool = False) -> SystemView:
    """Return a system that stands as the worst of `checks`."""
    worst = min((one.condition for one in checks), key=lambda one: one.rank, default=Condition.UP)
    condition = Condition.UP if worst is Condition.SKIPPED else worst
    runbook = f"https://example.com/runbooks/{name}"
    shares = (uptime(0.9991, DAY), uptime(0.99987, MONTH))
    return SystemView(name, title, condition, checks, runbook, public, *shares, strip=cells(condition))


def bad_day() -> Overview:
    """Return five systems, of which two have trouble."""
    warned, failing = Condition.WARNING, Condition.FAILING
    capliquify = system(
        "capliquify",
        "CapLiquify",
        check("capliquify", "backend", "Back end health", Condition.CRITICAL, slow(firing=Severity.CRITICAL)),
        check("capliquify", "site", "Front end", Condition.UP, slow("212 ms", 0.212), expiry()),
        check("capliquify", "database", "Database connections", warned, full(firing=Severity.WARNING)),
        check("capliquify", "login", "Log in, look at the forecast, log out", failing),
        check("capliquify", "webhooks", "Webhooks of Shopify", Condition.UNKNOWN),
        check("capliquify", "xero", "Accounts of Xero", Condition.SKIPPED),
    )
    tatame = system(
        "tatame",
        "TaTame",
        check("tatame", "api", "API", warned, slow("341 ms", 0.341, Severity.WARNING)),
        check("tatame", "bookings", "Bookings of the last hour", Condition.LEFT_OUT),
        check("tatame", "queue", "Queue of mails", Condition.INFO, full("12 %", 0.12, Severity.INFO)),
    )
    return Overview(
        START,
        (
            system("seedsource", "SeedSource", *few("seedsource"), public=True),
            capliquify,
            replace(tatame, maintenance=START + HOUR),
            system(
                "ecomdash", "EcomDash", *few("ecomdash"), check("ecomdash", "new", "A new check", Condition.WAITING)
            ),
            system("realstaging", "Real Staging", *few("realstaging"), public=True),
        ),
    )


def few(name: str) -> list[CheckView]:
    """Return checks of a system that is well."""
    return [
        check(name, "site", "Front page", Condition.UP, slow("148 ms", 0.148), expiry()),
        check(name, "api", "API", Condition.UP, slow("96 ms", 0.096), expiry("25 d", 25 * 86_400.0)),
        check(name, "database", "Database", Condition.UP, full("43 %", 0.43)),
        check(name, "backup", "Backup of the night", Condition.UP),
    ]


def many(checks: int = 1_000, systems: int = 5) -> Overview:
    """Return so many checks in so many systems, one in fifty of which has trouble."""
    troubles = [Condition.CRITICAL, Condition.WARNING, Condition.FAILING, Condition.UNKNOWN]
    made = [
        [
            check(f"system-{one}", f"check-{at}", f"Check {at} of the system", troubles[at // 50 % 4], slow())
            if at % 50 == 0
            else check(f"system-{one}", f"check-{at}", f"Check {at} of the system", Condition.UP, slow("148 ms", 0.148))
            for at in range(checks // systems)
        ]
        for one in range(systems)
    ]
    return Overview(START, tuple(system(f"system-{at}", f"System {at}", *those) for at, those in enumerate(made)))


@dataclass
class Stage:
    """A viewer that shows what it is given."""

    seen: Overview = field(default_factory=bad_day)

    def overview(self) -> Overview:
        return self.seen

    def public(self) -> Overview:
        shown = (replace(one, checks=(), runbook="") for one in self.seen.systems if one.public)
        return replace(self.seen, systems=tuple(shown), problems=())

    def hide(self) -> None:
        """Have no system be public."""
        self.seen = replace(self.seen, systems=tuple(replace(one, public=False) for one in self.seen.systems))

    async def check(self, check: CheckId) -> CheckDetail | None:
        found = (one for system in self.seen.systems for one in system.checks if one.id == check)
        return next(map(CheckDetail, found), None)

    async def plot(self, check: CheckId, measure: str, span: timedelta) -> Plot | None:  # noqa: ARG002 - none is shown
        return None

    async def samples(self, check: CheckId, since: datetime, until: datetime | None, limit: int) -> Sequence[Sample]:  # noqa: ARG002 - none
        return ()

    async def incidents(self, since: datetime, system: str = "", check: str = "") -> Sequence[Incident]:  # noqa: ARG002 - none
        return ()

    async def deploys(self, since: datetime, system: str = "") -> Sequence[Deploy]:  # noqa: ARG002 - none
        return ()
