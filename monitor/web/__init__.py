"""What the daemon shows over HTTP: metrics, its health, and a landing page; and what is reported to it."""

from monitor.web.deploys import Deploys, Release
from monitor.web.door import Door
from monitor.web.heartbeats import Heartbeats
from monitor.web.server import CannotListen, Limits, Web
from monitor.web.taken import Taken
from monitor.web.tokens import Tokens

__all__ = ["CannotListen", "Deploys", "Door", "Heartbeats", "Limits", "Release", "Taken", "Tokens", "Web"]
