"""How the mail looks on a phone and on a desk, in a real browser: nothing of it is wider than the screen."""

from __future__ import annotations

import asyncio
import html
import re
from typing import TYPE_CHECKING

import pytest

from monitor.channels.mail import mail_of
from tests.acceptance.process import program
from tests.channels.deliveries import DELIVERIES

if TYPE_CHECKING:
    from pathlib import Path

    from monitor.model import Delivery

WIDTHS = (390, 1_200)
"""An iPhone 12 to 15, and a window on a desk."""
PATIENCE = 45
MEASURE = """
<script>
addEventListener("load", () => {
  const seen = [...document.querySelectorAll("iframe")].map(frame => {
    const inner = frame.contentDocument;
    const size = parseFloat(frame.contentWindow.getComputedStyle(inner.body).fontSize);
    return `${frame.id}=${inner.documentElement.scrollWidth},${size},${inner.scripts.length}`;
  });
  document.body.innerHTML = `<pre>${seen.join(" ")}</pre>`;
});
</script>
"""


def html_of(delivery: Delivery) -> str:
    """Return the HTML part of a mail."""
    body = mail_of(delivery, "monitor@example.com", ["oncall@example.com"]).get_body(("html",))
    assert body
    text: str = body.get_content()
    return text


async def browse(browser: str, folder: Path, page: str) -> str:
    """Return the document that `page` becomes in a browser."""
    file = folder / "page.html"
    file.write_text(page, "utf-8")
    quiet = asyncio.subprocess.DEVNULL
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", f"--user-data-dir={folder}/data")
    command = (browser, *flags, "--virtual-time-budget=5000", "--dump-dom", file.as_uri())
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=quiet)
    try:
        out, _ = await asyncio.wait_for(process.communicate(), PATIENCE)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return out.decode()


@pytest.mark.xdist_group("browser")
async def test_no_mail_is_wider_than_the_screen(tmp_path: Path) -> None:
    """However long a word in it is; its letters keep their size, and nothing in it is a script."""
    browser = program("chromium", "chromium")
    frames = [
        f'<iframe id="{name}-{width}" width="{width}" height="800" srcdoc="{html.escape(html_of(one))}"></iframe>'
        for name, one in DELIVERIES.items()
        for width in WIDTHS
    ]
    page = f'<!DOCTYPE html><html><head><meta charset="utf-8">{MEASURE}</head><body>{"".join(frames)}</body></html>'
    seen = re.findall(r"([a-z]+)-(\d+)=(\d+),([\d.]+),(\d+)", await browse(browser, tmp_path, page))
    assert len(seen) == len(DELIVERIES) * len(WIDTHS)
    assert [(name, width) for name, width, wide, _, _ in seen if int(wide) > int(width)] == []
    assert {(float(size), int(scripts)) for *_, size, scripts in seen} == {(16.0, 0)}
