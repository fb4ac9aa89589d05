from __future__ import annotations

import io
from typing import TYPE_CHECKING

from monitor.channels.base import Delivered, Retry, deliver
from monitor.channels.console import ConsoleChannel
from tests.channels.examples import delivery, notification, page

if TYPE_CHECKING:
    import pytest

    from monitor.channels.base import Resources


async def test_a_page_is_printed_as_it_would_be_sent(resources: Resources, capsys: pytest.CaptureFixture[str]) -> None:
    about = page(summary="a\x1b[31mb\r\nc\u202e[red]")
    assert isinstance(await deliver(ConsoleChannel(), delivery(notification(about=about)), resources), Delivered)
    printed = capsys.readouterr().out
    assert "CRITICAL: CapLiquify: Back end health: down, since 03:12 UTC (45 s)." in printed
    assert "\nab c[red]\n" in printed


class Narrow(io.TextIOWrapper):
    """An output that knows ASCII only."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii")


async def test_an_output_that_takes_nothing_may_be_tried_again(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdout", Narrow())
    result = await deliver(ConsoleChannel(), delivery(), resources)
    assert result == Retry("the standard output takes nothing: UnicodeEncodeError")
