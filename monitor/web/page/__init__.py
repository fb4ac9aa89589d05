"""What people see in a browser: systems, checks, alerts, what everybody may see; and who may look and act."""

from monitor.web.page.pages import pages
from monitor.web.page.shell import Shell

__all__ = ["Shell", "pages"]
