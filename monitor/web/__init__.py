"""What the daemon shows over HTTP: metrics, its health, and a landing page."""

from monitor.web.door import Door
from monitor.web.server import CannotListen, Limits, Web
from monitor.web.tokens import Tokens

__all__ = ["CannotListen", "Door", "Limits", "Tokens", "Web"]
