"""Every Prometheus series: of each check (`check.py`), of each alert, and of the daemon itself (`own.py`)."""

from monitor.metrics.own import DaemonMetrics, OutboxMetrics, RemoteWriteMetrics, ScheduleMetrics
from monitor.metrics.page import OPENMETRICS, TEXT, Metrics

__all__ = ["OPENMETRICS", "TEXT", "DaemonMetrics", "Metrics", "OutboxMetrics", "RemoteWriteMetrics", "ScheduleMetrics"]
