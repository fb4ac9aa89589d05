"""What the daemon shows over HTTP: metrics and its health; what is reported to it, and done to it."""

from monitor.web.acting import Acts
from monitor.web.api.jobs import Job
from monitor.web.api.routes import Api
from monitor.web.badge import Badges
from monitor.web.deploys import Deploys, Release
from monitor.web.door import Door
from monitor.web.heartbeats import Heartbeats
from monitor.web.server import CannotListen, Limits, Web
from monitor.web.taken import Reply, Taken
from monitor.web.tokens import Tokens

__all__ = [
    "Acts",
    "Api",
    "Badges",
    "CannotListen",
    "Deploys",
    "Door",
    "Heartbeats",
    "Job",
    "Limits",
    "Release",
    "Reply",
    "Taken",
    "Tokens",
    "Web",
]
