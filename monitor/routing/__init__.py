"""Events → who is told, how soon, and how often. Pure."""

from monitor.routing.flapping import USUAL, Flapping
from monitor.routing.hours import Digest, Hours, parse_digest, parse_hours
from monitor.routing.route import Escalation, Route, Terms, applying, terms, told_of
from monitor.routing.telling import Call, acknowledge, also_tell, not_later, rejoin, tell

__all__ = [
    "USUAL",
    "Call",
    "Digest",
    "Escalation",
    "Flapping",
    "Hours",
    "Route",
    "Terms",
    "acknowledge",
    "also_tell",
    "applying",
    "not_later",
    "parse_digest",
    "parse_hours",
    "rejoin",
    "tell",
    "terms",
    "told_of",
]
