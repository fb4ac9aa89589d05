"""All pages together, as the server needs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.web.page.login import Login
from monitor.web.page.overview import Overviews
from monitor.web.page.public import PublicView

if TYPE_CHECKING:
    from aiohttp import web

    from monitor.web.page.shell import Shell
    from monitor.web.viewer import Viewer


def pages(shell: Shell, viewer: Viewer) -> list[web.RouteDef]:
    """Return the routes of all pages; each `GET` answers `HEAD` too."""
    parts = (shell, Login(shell, viewer), Overviews(shell, viewer), PublicView(shell, viewer))
    return [route for part in parts for route in part.table()]
