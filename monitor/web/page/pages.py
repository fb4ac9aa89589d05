"""All pages together, as the server needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.web.page.alerts import Alerts
from monitor.web.page.check import Checks
from monitor.web.page.forms import Forms
from monitor.web.page.login import Login
from monitor.web.page.overview import Overviews
from monitor.web.page.public import PublicView

if TYPE_CHECKING:
    from aiohttp import web

    from monitor.clock import Clock
    from monitor.web.acting import Counter
    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer


def pages(shell: Shell, viewer: Viewer, counter: Counter, clock: Clock) -> list[web.RouteDef]:
    """Return the routes of all pages; each `GET` answers `HEAD` too."""
    parts = (
        shell,
        Login(shell, viewer),
        Overviews(shell, viewer),
        PublicView(shell, viewer),
        Checks(shell, viewer, clock),
        Alerts(shell, viewer, counter, clock),
        Forms(shell, counter, clock),
    )
    return [route for part in parts for route in part.table()]
