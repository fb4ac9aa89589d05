"""Lists of what a bucket holds, as S3 writes them: XML, read with care. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree as ET

from monitor.model import Failure, Reason, State
from monitor.vendors import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from monitor.answer import Answer

PAGE = "500"
"""A thousand long names would be more than is read of one answer."""


class Entry(NamedTuple):
    """An object, or a version of one. `version`: empty where none are kept. `marker`: one that says it is deleted."""

    key: str
    at: datetime
    size: float = 0.0
    version: str = ""
    marker: bool = False
    latest: bool = True


def read_listing(answer: Answer) -> Page[Entry]:
    """Return a page of objects or versions; the cursor is made of the names that begin the next page.

    Raises `Failure` (protocol, unknown) for whatever else it is.
    """
    if answer.truncated:
        raise _unexpected("one that is longer than what is read of it")
    if b"<!" in answer.body or b"\0" in answer.body:
        raise _unexpected("a web page, or another document type")
    try:
        root = ET.fromstring(answer.body)  # noqa: S314 - no document type is let in
    except (ET.ParseError, ValueError):
        raise _unexpected("something that is no XML") from None
    if not _name(root).startswith("List"):
        raise _unexpected("another element")
    return Page(list(_entries(root)), _after(root))


def _entries(root: ET.Element) -> Iterator[Entry]:
    for each in root:
        if _name(each) not in {"Contents", "Version", "DeleteMarker"}:
            continue
        found = {_name(part): part.text or "" for part in each}
        yield Entry(
            unquote(_text(found, "Key")),
            _moment(_text(found, "LastModified")),
            _size(found),
            found.get("VersionId", ""),
            marker=_name(each) == "DeleteMarker",
            latest=found.get("IsLatest", "true") == "true",
        )


def _after(root: ET.Element) -> str | None:
    """Return the part of the query that asks for the next page."""
    found = {_name(part): part.text or "" for part in root}
    if found.get("IsTruncated", "").lower() != "true":
        return None
    names = {
        "NextContinuationToken": "continuation-token",
        "NextKeyMarker": "key-marker",
        "NextVersionIdMarker": "version-id-marker",
    }
    given = [f"{names[name]}={found[name]}" for name in names if found.get(name)]
    if not given:
        raise _unexpected("a part of one, and no sign of where the next begins")
    return "\n".join(given)


def further(cursor: str) -> list[tuple[str, str]]:
    """Return the query that a cursor stands for; names come encoded, since we ask for that."""
    pairs = [part.partition("=") for part in cursor.split("\n")]
    return [(name, unquote(value) if name == "key-marker" else value) for name, _, value in pairs]


def _name(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]


def _text(found: dict[str, str], name: str) -> str:
    if not found.get(name):
        raise _unexpected(f"an entry without {name}")
    return found[name]


def _size(found: dict[str, str]) -> float:
    text = found.get("Size", "0")
    if not text.isascii() or not text.isdecimal():
        raise _unexpected("a size that is no number")
    return float(text)


def _moment(text: str) -> datetime:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise _unexpected("a moment that is none") from None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _unexpected(got: str) -> Failure:
    return Failure(Reason.PROTOCOL, f"expected a list of objects, got {got}", State.UNKNOWN)
