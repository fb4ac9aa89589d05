"""Expectations on an answer: what a file can say, and whether it holds. Pure."""

from monitor.expect.document import Document, Json, Path
from monitor.expect.excerpt import excerpt
from monitor.expect.judge import judge
from monitor.expect.rules import Exactly, Expect, Header, Text

__all__ = ["Document", "Exactly", "Expect", "Header", "Json", "Path", "Text", "excerpt", "judge"]
