"""The addresses of pages. All begin at the root of the host: a page is not moved below a path."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from monitor.incidents import Incident
    from monitor.model import CheckId

HOME = "/"
LOGIN = "/login"
LOGOUT = "/logout"
PUBLIC = "/public"
SYSTEMS = "/systems"
ALERTS = "/alerts"
SILENCES = "/silences"
LIFTS = "/silences/lift"
ACKS = "/acks"
NOTES = "/notes"
RUNS = "/runs"
BADGES = "/badge"

OURS = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of this very host: browsers take `//host` and `/\\host` for another one."""


def of_system(system: str) -> str:
    """Return where a system is shown."""
    return f"{SYSTEMS}/{quote(system, safe='')}"


def of_check(check: CheckId) -> str:
    """Return where a check is shown."""
    return f"{of_system(check.system)}/{quote(check.check, safe='')}"


def of_incident(incident: Incident) -> str:
    """Return where an incident is told."""
    return f"{ALERTS}/{incident.id}"


def here(place: str) -> str:
    """Return `place` if it is a path of this host, else that of the overview: nobody is led elsewhere."""
    return place if OURS.fullmatch(place) else HOME
