"""The examples of docs/first-hour.md, run as they stand against a shop and a mailbox."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from typer.testing import CliRunner

from monitor.cli import app
from monitor.model import Reason
from monitor.survey.health import PATHS
from tests.channels.peers import mails
from tests.survey.beside import beside
from tests.systems.site import Site, page, says_json

if TYPE_CHECKING:
    from contextlib import AsyncExitStack

    import pytest

    from tests.channels.peers import Mails

PAGE = (Path(__file__).parents[1] / "docs/first-hour.md").read_text("utf-8")
EXAMPLES = re.compile(r"^```(sh|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


async def serve(stack: AsyncExitStack) -> tuple[Site, Mails]:
    """Serve a shop and a mailbox."""
    shop = Site("127.0.0.1", None)
    await shop.start(stack)
    shop.answers["GET", "/"] = page()
    shop.answers["GET", "/health"] = says_json({"status": "ok"})
    return shop, await stack.enter_async_context(mails())


def run(line: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run a line of a shell, and return what it says."""
    program, *words = shlex.split(line)
    if program == "export":
        for name, _, value in (word.partition("=") for word in words):
            monkeypatch.setenv(name, value)
        return ""
    assert Path(program).name == "monitor"
    ended = CliRunner().invoke(app, [*words, *(["--samples", "2"] if words[0] == "init" else [])])
    assert ended.exit_code == 0, ended.output
    return ended.output


def test_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says what the page shows after it."""
    said = ""
    with beside(serve) as (shop, mailbox):
        folder = str(tmp_path / "watching")
        here = {"127.0.0.1:8000": f"127.0.0.1:{shop.port}", ":1025": f":{mailbox.port}", "watching": folder}
        for form, text in EXAMPLES.findall(PAGE):
            for shown, real in here.items():
                text = text.replace(shown, real)  # noqa: PLW2901 - the same text
            if form == "text":
                assert said == text
            else:
                said = "".join(run(line, monkeypatch) for line in text.splitlines())
        assert len(mailbox.got) == 1
    assert os.environ["ONCALL_EMAIL"] == "oncall@example.com"


def test_the_page_names_what_is_tried_and_what_is_said() -> None:
    named = set(re.findall(r"`(/[\w/]+)`", PAGE))
    assert named - {"/heal", "/metrics", "/etc/monitor"} <= set(PATHS)
    reasons = set(re.findall(r"`(\w+)(?:: …)?`", "\n".join(re.findall(r"^\| `(?:dns|tls).*$", PAGE, re.MULTILINE))))
    assert {"dns", "refused", "timeout", "tls_expired", "tls_invalid"} <= {*reasons} <= {str(one) for one in Reason}
