"""Prometheus remote write: the series of a scrape, pushed, for a daemon that nobody can reach."""

from monitor.push.pusher import Pace, Pusher
from monitor.push.receiver import REASONS, Receiver

__all__ = ["REASONS", "Pace", "Pusher", "Receiver"]
