"""What keeps the daemon from starting: it says what, and ends with the status that scripts can rely on."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from tests.acceptance.process import SITE, command

if TYPE_CHECKING:
    from pathlib import Path

URLS = {"SHOP_URL": "http://127.0.0.1:1", "HOOK_URL": "http://127.0.0.1:1/token-of-the-receiver"}


def written(folder: Path, text: str = SITE) -> str:
    file = folder / "monitor.yaml"
    file.write_text(text)
    return str(file)


async def test_a_database_that_is_none_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    """Status 1, a sentence, not a byte changed, nothing put beside it."""
    database = tmp_path / "data" / "monitor.db"
    database.parent.mkdir()
    database.write_bytes(b"Dear diary, " * 1000)
    ended = await command(tmp_path, "run", "-c", written(tmp_path), **URLS)
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.strip() == f"{database} is not an SQLite database; it was left as it is"
    assert database.read_bytes() == b"Dear diary, " * 1000
    assert list(database.parent.iterdir()) == [database]


async def test_a_faulty_file_is_refused_with_every_fault_and_its_line(tmp_path: Path) -> None:
    """Status 2; file, line and what is allowed for each fault; nothing starts."""
    text = SITE.replace("timeout: 2s", "timeout: 2") + "      cart: {kind: htp}\n      pay: {url: '${PAY_URL}'}\n"
    file = written(tmp_path, text)
    ended = await command(tmp_path, "run", "-c", file, **URLS)
    faults = ended.err.splitlines()
    lines = [
        number
        for number, line in enumerate(text.splitlines(), 1)
        if "timeout: 2," in line or "htp" in line or "PAY" in line
    ]
    assert (ended.status, ended.out) == (2, "")
    assert [f"{file}:{line}" in fault for line, fault in zip(lines, faults, strict=True)] == [True] * 3
    assert "unit" in faults[0]
    assert "http" in faults[1]
    assert "PAY_URL" in faults[2]
    assert not (tmp_path / "data").exists()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    """Status 1, and which address it is."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        ended = await command(tmp_path, "run", "-c", written(tmp_path), MONITOR_LISTEN=address, **URLS)
    assert (ended.status, ended.out) == (1, "")
    assert f"cannot listen on {address}" in ended.err
    assert "Traceback" not in ended.err


async def test_strangers_are_not_let_in_without_a_token(tmp_path: Path) -> None:
    """Status 2, and which variable is missing."""
    ended = await command(tmp_path, "run", "-c", written(tmp_path), MONITOR_LISTEN="0.0.0.0:0", **URLS)
    assert (ended.status, ended.out) == (2, "")
    assert "MONITOR_TOKEN" in ended.err
    assert not (tmp_path / "data").exists()


async def test_on_render_without_a_disk_it_does_not_start_and_can_still_be_asked(tmp_path: Path) -> None:
    """Promise 8: status 2 and why; but what remembers nothing runs, as Render's pre-deploy command does."""
    render = {"RENDER": "true", "MONITOR_DATA": "/nowhere/data", **URLS}
    file = written(tmp_path)
    ended = await command(tmp_path, "run", "-c", file, **render)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.strip() == (
        "MONITOR_DATA: /nowhere/data is not on a disk: each deploy would forget every open alert; "
        "mount a disk and set MONITOR_DATA to a folder on it, or MONITOR_DATABASE_URL to a PostgreSQL database"
    )
    ended = await command(tmp_path, "validate", "-c", file, **render)
    assert (ended.status, ended.err) == (0, "")
