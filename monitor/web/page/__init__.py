"""What people see in a browser: systems, checks, alerts, what everybody may see; and who may look and act."""

from monitor.web.page.alerts import Alerts
from monitor.web.page.check import Checks
from monitor.web.page.forms import Forms
from monitor.web.page.login import Login
from monitor.web.page.overview import Overviews
from monitor.web.page.public import PublicView
from monitor.web.page.shell import Shell

__all__ = ["Alerts", "Checks", "Forms", "Login", "Overviews", "PublicView", "Shell"]
