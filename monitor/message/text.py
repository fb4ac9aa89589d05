"""A message as plain text, whole and in parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from monitor.message.entry import Entry
    from monitor.message.whole import Message


def as_text(message: Message) -> str:
    """Return `message` as plain text, the most important line first."""
    parts = ["\n".join((message.lead, *message.notes))]
    if message.collected:
        parts += [f"{entry.line}\n{entry_text(entry)}" for entry in message.entries]
    else:
        parts.append(entry_text(message.entries[0]))
    parts.append("\n".join(f"- {line}" for line in message.lines))
    parts.append(more_text(message))
    return "\n\n".join(part for part in parts if part) + "\n"


def entry_text(entry: Entry) -> str:
    """Return what is to be said of `entry` below its headline, as plain text."""
    facts = [f"{name}: {value}" for name, value in entry.facts]
    links = [f"{label}: {address}" for label, address in entry.links]
    remedy = ["What to do", steps_text(entry.steps)] if entry.steps else []
    said = [line for line in (*entry.notes, entry.summary) if line]
    return "\n\n".join("\n".join(part) for part in (said, facts, remedy, links) if part)


def steps_text(steps: Sequence[str]) -> str:
    """Return `steps` one below the other, numbered if there are several; a step's further lines are set in."""
    if len(steps) == 1:
        return steps[0].replace("\n", "\n   ")
    return "\n".join(f"{number}. {step}".replace("\n", "\n   ") for number, step in enumerate(steps, 1))


def more_text(message: Message) -> str:
    """Return the sentence that names what did not fit, or nothing."""
    return f"and {len(message.more)} more: {', '.join(message.more)}" if message.more else ""
