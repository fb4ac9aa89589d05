"""What a first look finds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from yarl import URL

    from monitor.survey.facts import Facts
    from monitor.survey.families import Family


CLOSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Statuses of what wants to know who asks."""


class NothingToWatch(Exception):  # noqa: N818 - the outcome of a look, no fault of ours
    """There is nothing from which a file could be written; says why, and what to do about it."""


class Samples(NamedTuple):
    """Several answers of one address.

    `times`: seconds of those that were as expected; `others`: of the rest, how many of each kind there were.
    """

    times: tuple[float, ...]
    others: Mapping[str, int]


UNSAMPLED = Samples((), {})


@dataclass(frozen=True, slots=True)
class Place:
    """An address that answers. `url`: what will be asked; `media_type` is that of all samples, empty if it differs.

    `text`: a short text that was the whole body. `title`: that of a web page. `truncated`: there was more than is read.
    `coding`: how the body was compressed.
    """

    url: URL
    status: int
    media_type: str
    size: int
    truncated: bool = False
    coding: str = ""
    title: str = ""
    text: str = ""
    facts: Facts | None = None
    aliases: tuple[str, ...] = ()
    samples: Samples = UNSAMPLED


@dataclass(frozen=True, slots=True)
class Transport:
    """How an address is reached. `expires` in days, None without TLS; `plain`: what http:// does, empty if not asked.

    `addresses`: how many of IPv4 and of IPv6.
    """

    addresses: tuple[int, int] = (0, 0)
    cname: str = ""
    platform: str = ""
    expires: int | None = None
    issuer: str = ""
    plain: str = ""


@dataclass(frozen=True, slots=True)
class Survey:
    """All that one look has found. `page` is None where that address has nothing to watch, but others do.

    `leads_to`: where a redirect led that leaves the host. `notes`: what else was seen, a sentence each.
    """

    asked: URL
    on: date
    page: Place | None
    transport: Transport
    health: tuple[Place, ...] = ()
    metrics: Place | None = None
    families: tuple[Family, ...] = ()
    leads_to: str = ""
    ca_file: str = ""
    notes: tuple[str, ...] = ()
