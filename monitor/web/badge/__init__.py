"""Badges: how a system or a check stands, as a small picture for a page of somebody else."""

from monitor.web.badge.routes import Badges

__all__ = ["Badges"]
