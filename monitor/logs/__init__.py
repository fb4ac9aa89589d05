"""What the daemon says of itself: lines for its operator (`lines.py`), and its own bugs for Sentry (`reports.py`)."""

from monitor.logs.lines import Layout, configure
from monitor.logs.reports import Reports, start_sentry

__all__ = ["Layout", "Reports", "configure", "start_sentry"]
