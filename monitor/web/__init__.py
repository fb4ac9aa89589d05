"""What the daemon shows over HTTP: metrics, its health, and a landing page; and what jobs report to it."""

from monitor.web.door import Door
from monitor.web.heartbeats import Heartbeats, Taken
from monitor.web.server import CannotListen, Limits, Web
from monitor.web.tokens import Tokens

__all__ = ["CannotListen", "Door", "Heartbeats", "Limits", "Taken", "Tokens", "Web"]
