"""How a delivery reads: plain text in order of weight, the same for every channel. Pure.

Whoever is woken must see in the first line what is broken, how bad it is, since when and what to do first. `message_of`
turns a delivery into a `Message`, every text in it already cleaned (`plain.py`). A channel gives it the form of its
medium, and escapes for that medium.
"""

from monitor.message.entry import Entry, steps_of
from monitor.message.shape import BLOCKS, GAP, sparkline
from monitor.message.text import as_text, entry_text, more_text, steps_text
from monitor.message.whole import IN_FULL, LISTED, UNCERTAIN, Message, message_of
from monitor.message.words import ASIDE, ENDED, LONGEST_TITLE, TOLD_ONCE, notes

__all__ = [
    "ASIDE",
    "BLOCKS",
    "ENDED",
    "GAP",
    "IN_FULL",
    "LISTED",
    "LONGEST_TITLE",
    "TOLD_ONCE",
    "UNCERTAIN",
    "Entry",
    "Message",
    "as_text",
    "entry_text",
    "message_of",
    "more_text",
    "notes",
    "sparkline",
    "steps_of",
    "steps_text",
]
