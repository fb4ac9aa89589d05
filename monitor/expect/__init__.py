"""Expectations on an answer: what a file can say, and whether it holds. Pure."""

from monitor.expect.document import Document, Json, Path, search
from monitor.expect.excerpt import excerpt
from monitor.expect.judge import judge
from monitor.expect.rules import Exactly, Expect, Header, Text
from monitor.expect.values import Value, met, operand, said, same

__all__ = [
    "Document",
    "Exactly",
    "Expect",
    "Header",
    "Json",
    "Path",
    "Text",
    "Value",
    "excerpt",
    "judge",
    "met",
    "operand",
    "said",
    "same",
    "search",
]
