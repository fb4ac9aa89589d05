"""Shows how everything stands, on any instance: from memory where it leads, else as the store has it."""

from monitor.viewing.feed import Feed
from monitor.viewing.viewer import Means, Viewing

__all__ = ["Feed", "Means", "Viewing"]
