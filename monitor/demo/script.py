"""What goes wrong in the demo's world, when, and what the monitor must make of it. Pure data, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from monitor.model import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

INFO, WARNING, CRITICAL = Severity.INFO, Severity.WARNING, Severity.CRITICAL
SECOND = timedelta(seconds=1)
LENGTH = 600 * SECOND
BAD_GATEWAY = 502
"""What a proxy answers when nobody is behind it."""


@dataclass(frozen=True, slots=True)
class Dials:
    """How the world is: all that its systems answer by. As it stands here, all is well."""

    shop_status: int = 200
    shop_delay: float = 0.02
    """Seconds that the front page takes."""
    shop_pool: float = 0.3
    """The share of its database connections in use."""
    shop_hits: float = 0.97
    """The share of lookups that its cache answers."""
    shop_shipping: int = 200
    parcels_impact: str = "none"
    """How bad the parcel service finds it itself, in the words of its status page."""
    cashflow_database: bool = True
    cashflow_version: str = "2.4.0"
    cashflow_errors: float = 0.0
    """The share of requests that end with a 500."""
    cashflow_upgrade: int = 403
    """What a customer of the small plan is answered who asks for the large one's forecasts."""
    cashflow_job: bool = True
    """Whether its job runs."""
    staging_silence: float = 1.0
    """The age of the newest webhook delivery, in seconds."""
    staging_waiting: float = 0.5
    """The age of the oldest job that waits, in seconds."""
    staging_expiring: bool = False
    """Whether it shows the certificate that ends in five days."""
    staging_open: bool = False
    """Whether it takes webhooks that nobody signed."""
    licences_status: int = 200
    licences_address: str = "192.0.2.10"
    """Where its name leads."""
    dojo_status: int = 200
    dojo_live: int = 200


class Shown(NamedTuple):
    """An alert that a fault opens. `told`: whether anybody hears of it, or something holds it back."""

    check: str
    alert: str
    severity: Severity
    told: bool = True


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong: in which system, from when on and for how long.

    `course` holds, from which second of the fault on, which of the `Dials` show what. `shows` are the alerts that it
    opens, at their worst. `words` say what happens in the world, `sight` what there is to see.
    """

    name: str
    system: str
    begins: timedelta
    lasts: timedelta
    words: str
    sight: str
    course: tuple[tuple[float, Mapping[str, Any]], ...]
    shows: tuple[Shown, ...] = ()
    scripted: bool = True
    """Whether it is in the script; else it happens only by hand."""

    @property
    def ends(self) -> timedelta:
        """Return when it is over, from the start of the script."""
        return self.begins + self.lasts


def _steadily(dial: str, seconds: int, start: float = 0.0) -> tuple[tuple[float, Mapping[str, Any]], ...]:
    """Return the course of a dial that grows by one each second, from `start` on."""
    return tuple((float(second), {dial: start + second}) for second in range(seconds))


def _by_turns(
    dial: str, values: tuple[Any, Any], every: int, seconds: int
) -> tuple[tuple[float, Mapping[str, Any]], ...]:
    """Return the course of a dial that shows one value, then the other, each for `every` seconds."""
    return tuple((float(second), {dial: values[second // every % 2]}) for second in range(0, seconds, every))


SCRIPT: tuple[Fault, ...] = (
    Fault(
        "slow-query",
        "shop",
        30 * SECOND,
        40 * SECOND,
        "a query without an index makes the front page slow",
        "p90 against its figures, the reason, and what to do about it",
        ((0, {"shop_delay": 0.6}),),
        (Shown("front", "slow", CRITICAL),),
    ),
    Fault(
        "pool-fills",
        "shop",
        90 * SECOND,
        55 * SECOND,
        "connections leak: the pool fills up, and drains again",
        "a warning that gets worse: one alert, and one message more; then it eases, and ends",
        (
            (0, {"shop_pool": 0.86}),
            (25, {"shop_pool": 0.95}),
            (45, {"shop_pool": 0.86}),
        ),
        (Shown("health", "connection pool", CRITICAL),),
    ),
    Fault(
        "webhooks-stop",
        "staging",
        155 * SECOND,
        40 * SECOND,
        "the payment provider delivers no webhook any more",
        "nothing fails, so only the age of the newest delivery tells: first a warning, then a critical",
        _steadily("staging_silence", 120, 1.0),
        (Shown("deliveries", "silence", CRITICAL),),
    ),
    Fault(
        "cold-cache",
        "shop",
        185 * SECOND,
        40 * SECOND,
        "the cache was emptied",
        "information: it rings nobody, and waits for the digest",
        ((0, {"shop_hits": 0.6}),),
        (Shown("traffic", "cache hits", INFO),),
    ),
    Fault(
        "job-silent",
        "cashflow",
        205 * SECOND,
        35 * SECOND,
        "the job that ends trials runs no more",
        "a heartbeat that did not come",
        ((0, {"cashflow_job": False}),),
        (Shown("trials", "down", CRITICAL),),
    ),
    Fault(
        "bad-deploy",
        "cashflow",
        250 * SECOND,
        55 * SECOND,
        "version 2.5.0 is deployed: one request in 25 fails, and the small plan gets what it has not paid for",
        "it is noticed, its checks run, the alerts name it and say whether going back is safe; then it is rolled back",
        ((0, {"cashflow_version": "2.5.0", "cashflow_errors": 0.04, "cashflow_upgrade": 200}),),
        (Shown("traffic", "errors", CRITICAL), Shown("smoke", "down", WARNING)),
    ),
    Fault(
        "vendor-incident",
        "shop",
        315 * SECOND,
        40 * SECOND,
        "the parcel service is out, and says so on its status page",
        "labels cannot be printed, and the alert names the vendor's own incident",
        (
            (0, {"parcels_impact": "major"}),
            (8, {"shop_shipping": 503}),
        ),
        (Shown("parcels", "incident", WARNING), Shown("shipping", "down", CRITICAL)),
    ),
    Fault(
        "flapping",
        "dojo",
        345 * SECOND,
        60 * SECOND,
        "the live page comes and goes",
        "after six changes it is said to flap, once; then nothing until it has been stable",
        _by_turns("dojo_live", (503, 200), 5, 60),
        (Shown("live", "down", CRITICAL),),
    ),
    Fault(
        "queue-grows",
        "staging",
        365 * SECOND,
        38 * SECOND,
        "the worker hangs, and jobs wait",
        "the age of the oldest job that waits: a warning, then a critical",
        _steadily("staging_waiting", 120, 0.5),
        (Shown("worker", "oldest job", CRITICAL),),
    ),
    Fault(
        "certificate",
        "staging",
        410 * SECOND,
        20 * SECOND,
        "nobody renewed the certificate: five days are left",
        "what will break next week, while everything still works",
        ((0, {"staging_expiring": True}),),
        (Shown("certificate", "certificate", CRITICAL),),
    ),
    Fault(
        "database-away",
        "cashflow",
        425 * SECOND,
        35 * SECOND,
        "the database is away, and so is all that needs it",
        "one page, not four: what needs the database is held back",
        ((0, {"cashflow_database": False}),),
        (
            Shown("database", "down", CRITICAL),
            Shown("backend", "down", CRITICAL, told=False),
            Shown("mcp", "down", CRITICAL, told=False),
            Shown("smoke", "down", WARNING, told=False),
        ),
    ),
    Fault(
        "wrong-record",
        "licences",
        465 * SECOND,
        20 * SECOND,
        "somebody moved the name to another address",
        "the expected record and the one that was found",
        ((0, {"licences_address": "203.0.113.9"}),),
        (Shown("name", "down", CRITICAL),),
    ),
    Fault(
        "open-door",
        "staging",
        485 * SECOND,
        20 * SECOND,
        "a release forgot to verify signatures: anybody can forge a payment",
        "a hole that no user notices: what must be refused was taken",
        ((0, {"staging_open": True}),),
        (Shown("payments", "down", CRITICAL),),
    ),
    Fault(
        "rebuild",
        "licences",
        515 * SECOND,
        30 * SECOND,
        "the licence server is rebuilt, as was announced",
        "everything fails, and nobody is told: it is in a maintenance window",
        ((0, {"licences_status": 503}),),
        (
            Shown("health", "down", CRITICAL, told=False),
            Shown("admin", "down", CRITICAL, told=False),
            Shown("browser", "down", CRITICAL, told=False),
        ),
    ),
    Fault(
        "outage",
        "dojo",
        555 * SECOND,
        25 * SECOND,
        "the host of the championship is gone",
        "five checks are down, and one message says so, with what they have in common",
        ((0, {"dojo_status": BAD_GATEWAY, "dojo_live": BAD_GATEWAY}),),
        tuple(Shown(check, "down", CRITICAL) for check in ("server", "headers", "live", "scores", "sign-up")),
    ),
    Fault(
        "shop-down",
        "shop",
        timedelta(),
        timedelta(),
        "the shop is broken by hand: it answers 502",
        "one page: what needs the front page is held back",
        ((0, {"shop_status": BAD_GATEWAY}),),
        (Shown("front", "down", CRITICAL), Shown("health", "down", CRITICAL, told=False)),
        scripted=False,
    ),
)
"""In the order of their beginnings; those that happen only by hand stand last."""
FAULTS: Mapping[str, Fault] = {fault.name: fault for fault in SCRIPT}
MAINTENANCE = (505 * SECOND, 50 * SECOND)
"""When the licence server's maintenance begins, and for how long it lasts."""
DIGEST = 540 * SECOND
"""The digest leaves with the first whole minute after that."""


def scripted(second: timedelta) -> dict[str, timedelta]:
    """Return which faults the script has going on so long after its start, and since when."""
    return {
        fault.name: second - fault.begins for fault in SCRIPT if fault.scripted and fault.begins <= second < fault.ends
    }


def dials(going_on: Mapping[str, timedelta]) -> Dials:
    """Return how the world is while these faults go on, each for so long; of two that disagree the later one wins."""
    known = Dials()
    for name, so_far in going_on.items():
        known = replace(known, **_at(FAULTS[name], so_far.total_seconds()))
    return known


def _at(fault: Fault, second: float) -> dict[str, Any]:
    """Return what the fault has changed by then: what a dial was set to stays until it is set again."""
    return {dial: value for begins, changes in fault.course if begins <= second for dial, value in changes.items()}
