"""What the API answers with, by what it is about."""

from monitor.web.api.models import alerts, base, measured, past, standing

__all__ = ["alerts", "base", "measured", "past", "standing"]
