from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from aiohttp import web

from monitor.channels import apprise
from monitor.channels.apprise import CHILD, AppriseChannel
from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.config import load
from monitor.faults import ConfigError
from monitor.model import EventKind, Severity
from tests.acceptance.peers import until
from tests.channels.examples import delivery, notification, page
from tests.channels.peers import posts
from tests.peers import free_port, silence, tcp_peer

if TYPE_CHECKING:
    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery
    from tests.channels.peers import Posts
    from tests.peers import Authority

SECRET = "hunter2hunter2"
ODD = (*CHILD[:-1], str(Path(__file__).with_name("odd_plugins.py")), CHILD[-1])


def channel(*urls: str) -> AppriseChannel:
    return AppriseChannel.model_validate({"urls": urls})


async def sent(one: AppriseChannel, resources: Resources, what: Delivery | None = None) -> SendResult:
    return await deliver(one, what or delivery(), resources)


def children() -> list[int]:
    """Return the processes of apprise that we have started and that are still there."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and CHILD[-1] in (folder / "cmdline").read_text():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


def shown(process: int) -> str:
    """Return what everybody, or at least our own user, can read of a process."""
    return "".join(Path(f"/proc/{process}/{name}").read_text() for name in ("cmdline", "environ"))


@pytest.mark.parametrize(
    ("kind", "severity", "said"),
    [
        (EventKind.OPENED, Severity.CRITICAL, "failure"),
        (EventKind.OPENED, Severity.WARNING, "warning"),
        (EventKind.RESOLVED, Severity.CRITICAL, "success"),
    ],
)
async def test_a_message_is_the_text_under_its_headline(
    kind: EventKind, severity: Severity, said: str, resources: Resources, web_peer: Posts
) -> None:
    one = channel(f"json://127.0.0.1:{web_peer.port}/hook")
    assert await sent(one, resources, delivery(notification(0, kind, severity))) == Delivered()
    (form,) = web_peer.got
    assert form["type"] == said
    assert form["title"].endswith(": CapLiquify: Back end health: down")
    assert form["message"].startswith(form["title"])
    to_do = "1. Look at the latest deploy; roll back if it began there." in form["message"]
    assert to_do is (kind is not EventKind.RESOLVED)
    assert web_peer.paths == ["/hook"]
    assert children() == []


async def test_each_address_gets_it_and_a_repetition_leaves_out_who_did(resources: Resources) -> None:
    """Also when the first was cut off by another that never answered."""
    async with posts() as taken, posts() as refused, tcp_peer(silence) as silent:
        refused.status, refused.body = 403, "no entry"
        hooks = [f"json://127.0.0.1:{port}/?rto=60" for port in (taken.port, refused.port, silent.port)]
        one = channel(*hooks)
        result = await deliver(one, delivery(), resources, timedelta(seconds=3))
        assert result == Retry("no answer within 3 s")
        assert len(taken.got) == len(refused.got) == 1
        refused.status = 200
        await deliver(one, delivery(), resources, timedelta(seconds=3))
        assert (len(taken.got), len(refused.got)) == (1, 2)
        assert children() == []


async def test_one_that_was_cut_off_at_its_very_end_is_known_to_have_been_sent(
    resources: Resources, web_peer: Posts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message went out, and only then came the deadline: its repetition sends nothing, and the child is gone."""
    one = channel(f"json://127.0.0.1:{web_peer.port}/")
    sending = asyncio.create_task(sent(one, resources))
    took = one._progress.took

    def cut_off(identity: str) -> None:
        took(identity)
        sending.cancel()

    monkeypatch.setattr(one._progress, "took", cut_off)
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert children() == []
    assert await sent(one, resources) == Delivered()
    assert len(web_peer.got) == 1


@pytest.mark.parametrize(("status", "kind"), [(401, Rejected), (302, Rejected), (429, Retry), (500, Retry)])
async def test_the_status_that_a_service_answers_decides(
    status: int, kind: type[Retry | Rejected], resources: Resources, web_peer: Posts
) -> None:
    """A redirect is none: followed, a POST would become a GET that sends nothing and succeeds."""
    web_peer.status, web_peer.body = status, f"the bot {SECRET} is unknown"
    web_peer.headers = {"Location": f"http://127.0.0.1:{web_peer.port}/elsewhere"}
    result = await sent(channel(f"json://127.0.0.1:{web_peer.port}/{SECRET}"), resources)
    assert isinstance(result, kind)
    assert result.reason.startswith("address 1 (json://…): Failed to send JSON POST")
    assert "the bot ••• is unknown" in result.reason
    assert web_peer.paths == [f"/{SECRET}"]


async def test_https_is_verified_unless_the_address_says_otherwise(authority: Authority, resources: Resources) -> None:
    got = []

    async def take(request: web.Request) -> web.Response:
        got.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=authority.server("127.0.0.1")).start()
    try:
        result = await sent(channel(f"jsons://127.0.0.1:{port}/"), resources)
        assert isinstance(result, Retry)
        assert "ertificate" in result.reason
        assert await sent(channel(f"jsons://127.0.0.1:{port}/?verify=no"), resources) == Delivered()
        assert len(got) == 1
    finally:
        await runner.cleanup()


async def test_what_is_too_long_for_a_service_is_cut_not_refused(resources: Resources, web_peer: Posts) -> None:
    """Unless its address asks for more: then in parts. `json://` has the longest that apprise allows by itself."""
    long = notification(about=page(remedy=("Do this. " * 2_000,) * 3))
    await sent(channel(f"json://127.0.0.1:{web_peer.port}/"), resources, delivery(long))
    (form,) = web_peer.got
    assert len(form["message"]) <= 32_768
    web_peer.got.clear()
    await sent(channel(f"json://127.0.0.1:{web_peer.port}/?overflow=split"), resources, delivery(long))
    assert len(web_peer.got) == 3


@pytest.mark.parametrize("end", ["deadline", "cancelled"])
async def test_a_child_that_waits_is_ended_and_shows_nothing(
    end: str, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither its arguments nor its environment tell of an address, nor of what else we know."""
    monkeypatch.setenv("SHOP_TOKEN", SECRET)
    async with tcp_peer(silence) as peer:
        one = channel(f"json://127.0.0.1:{peer.port}/{SECRET}?rto=60")
        deadline = timedelta(seconds=5 if end == "deadline" else 30)
        sending = asyncio.create_task(deliver(one, delivery(), resources, deadline))
        await asyncio.wait_for(peer.heard.wait(), 30)
        (child,) = children()
        assert SECRET not in shown(child)
        if end == "cancelled":
            sending.cancel()
        result = (await asyncio.gather(sending, return_exceptions=True))[0]
        assert isinstance(result, asyncio.CancelledError) or result == Retry("no answer within 5 s")
        await asyncio.wait_for(peer.quiet.wait(), 5)
        assert children() == []


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("prints://x/{}", Retry, "address 1 (prints://…): "),
        ("raises://x/{}", Retry, "address 1 (raises://…): "),
        ("exits://x/{}", Retry, "apprise ended without an answer"),
        ("tgram://{}", Rejected, "address 1 (tgram://…): Unparseable Telegram URL"),
    ],
)
async def test_a_plugin_that_misbehaves_is_no_success_and_tells_nothing(
    url: str, kind: type[Retry | Rejected], said: str, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise, "CHILD", ODD)
    monkeypatch.setattr(apprise, "_not_understood", lambda _urls: [])
    result = await sent(channel(url.format(SECRET)), resources)
    assert isinstance(result, kind)
    assert result.reason.startswith(said)
    assert SECRET not in result.reason
    assert children() == []


async def test_what_a_plugin_started_is_ended_along_with_it(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise, "CHILD", ODD)
    monkeypatch.setattr(apprise, "_not_understood", lambda _urls: [])
    length = f"6{os.getpid()}"

    def sleeping() -> bool:
        return any(length.encode() in (one / "cmdline").read_bytes() for one in alive())

    sending = asyncio.create_task(sent(channel(f"leaves://{length}/"), resources))
    await until(sleeping, "what it started")
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await until(lambda: not sleeping(), "its end")


def alive() -> list[Path]:
    """Return the processes called sleep, by their folders."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if (folder / "comm").read_text() == "sleep\n":
                found.append(folder)
        except OSError:
            continue
    return found


async def test_without_apprise_its_absence_is_said(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the reading of the file; and should it vanish afterwards, at each send."""
    one = channel("json://127.0.0.1:9/")
    monkeypatch.setattr(apprise, "CHILD", (*CHILD[:-1], "-S", CHILD[-1]))
    missing = "apprise ended without an answer: ModuleNotFoundError: No module named 'apprise'"
    with pytest.raises(ValueError, match=missing):
        channel("json://127.0.0.1:9/")
    assert await sent(one, resources) == Retry(missing)


def test_a_machine_that_is_too_slow_to_ask_keeps_nobody_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apprise, "LOOK_TIME", timedelta(milliseconds=1))
    assert channel("nosuch://x").urls


FILE = """
channels: {ops: {kind: apprise, urls: [%s]}}
systems: {shop: {checks: {site: "tls://shop.example.com"}}}
"""


@pytest.mark.parametrize(
    ("urls", "said"),
    [
        ('"json://127.0.0.1/", "nosuch://hunter2hunter2"', "apprise does not understand address 2 (nosuch://…)"),
        ('"tgram://hunter2hunter2", "hunter2://"', "address 2 must be of the form service://…"),
        ('"hunter2hunter2"', "address 1 must be of the form service://…"),
        ("", "must not be empty"),
    ],
)
def test_an_address_that_apprise_does_not_understand_is_a_fault_of_the_file(
    urls: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "monitor.yaml").write_text(FILE % urls)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    (fault,) = caught.value.faults
    assert said in str(fault)
    assert "hunter2" not in str(fault)


def test_an_address_that_is_not_set_stands_for_itself(tmp_path: Path) -> None:
    """`rules`, `schema` and `validate --no-env` work without the secrets, and without asking apprise."""
    (tmp_path / "monitor.yaml").write_text(FILE % '"${APPRISE_URL}"')
    assert load(tmp_path, {}, placeholders=True).channels["ops"].kind == "apprise"


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("tgram://123456789:abcdefghijk/-100200300", ["123456789:abcdefghijk", "123456789", "abcdefghijk"]),
        ("discord://123456789012345678/tokentoken", ["123456789012345678", "tokentoken"]),
        ("sendgrid://SG.abcdefgh:me@example.com", ["SG.abcdefgh"]),
        ("json://me:passw0rd@hooks.example.com:8080/", ["passw0rd"]),
    ],
)
def test_what_stands_where_others_have_a_host_is_secret(
    url: str, hidden: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apprise, "_not_understood", lambda _urls: [])
    known = [secret.reveal() for secret in channel(url).secrets()]
    assert set(hidden) <= set(known)
    assert "hooks.example.com:8080" not in known


def test_the_daemon_never_imports_apprise() -> None:
    """It would be 44 MB more, and two hundred plugins beside everything that is secret here."""
    asked = "import sys; from monitor.channels import load_kind; load_kind('apprise'); print('apprise' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", asked], text=True).strip() == "False"
