"""What people see in a browser: the overview, one system, the public view, and who may look and act."""

from monitor.web.page.login import Login
from monitor.web.page.overview import Overviews
from monitor.web.page.public import PublicView
from monitor.web.page.shell import Shell

__all__ = ["Login", "Overviews", "PublicView", "Shell"]
