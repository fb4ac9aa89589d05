"""`monitor init` as it is typed: what it writes where, what it says, what it sends, and its exit status."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import pytest
from typer.testing import CliRunner

from monitor.cli import app, first
from tests.channels.peers import mails
from tests.peers import free_port
from tests.survey.beside import beside
from tests.systems.render_api import KEY, OWNER, RenderApi, refused
from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AsyncExitStack
    from pathlib import Path

    from tests.channels.peers import Mails


class World(NamedTuple):
    """A product, Render, and a mailbox."""

    site: Site
    render: RenderApi
    mailbox: Mails

    @property
    def mail(self) -> dict[str, str]:
        return {"SMTP_URL": f"smtp://127.0.0.1:{self.mailbox.port}", "ONCALL_EMAIL": "oncall@example.com"}


@pytest.fixture
def world() -> Iterator[World]:
    async def serve(stack: AsyncExitStack) -> World:
        site, render = Site("127.0.0.1", None), RenderApi("127.0.0.1", None)
        await site.start(stack)
        await render.start(stack)
        site.answers["GET", "/"] = page()
        site.answers["GET", "/health"] = says_json({"status": "ok"})
        render.has_service("shop-api")
        return World(site, render, await stack.enter_async_context(mails()))

    with beside(serve) as made:
        yield made


class Ended(NamedTuple):
    status: int
    out: str
    err: str


def init(*words: str, typed: str = "", **environ: str) -> Ended:
    """Run the command, with two samples."""
    ended = CliRunner().invoke(app, ["init", *words, "--samples", "2"], input=typed, env=environ)
    return Ended(ended.exit_code, ended.stdout, ended.stderr)


def test_it_writes_a_system_and_a_main_file_and_says_what_is_next(world: World, tmp_path: Path) -> None:
    ended = init(world.site.url, "-c", str(tmp_path), "--system", "shop")
    file, main = tmp_path / "systems" / "shop.yaml", tmp_path / "monitor.yaml"
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines() == [
        f"wrote {file}",
        f"wrote {main}",
        f"look it over, and write its remedies: {file}",
        f"then: monitor check shop -c {tmp_path}",
        f"then: monitor run -c {tmp_path}",
        "nobody elsewhere is told yet; skipped: ops (SLACK_WEBHOOK_URL is not set), oncall (SMTP_URL is not set)",
    ]
    checked = CliRunner().invoke(app, ["check", "-c", str(tmp_path)])
    assert checked.exit_code == 0, checked.output
    assert CliRunner().invoke(app, ["validate", "-c", str(tmp_path)]).exit_code == 0


def test_it_overwrites_nothing(world: World, tmp_path: Path) -> None:
    """Neither the system, nor the main file, whose channels are kept; and a second system is told apart."""
    words = (world.site.url, "-c", str(tmp_path), "--system")
    assert init(*words, "shop").status == 0
    file, main = tmp_path / "systems" / "shop.yaml", tmp_path / "monitor.yaml"
    main.write_text(main.read_text() + "# mine\n")
    before = (file.read_text(), main.read_text(), world.site.answers.copy())
    again, other = init(*words, "shop"), init(*words, "cart")
    assert again.status == 1
    assert "is there already and stays as it is" in again.err
    assert (file.read_text(), main.read_text()) == before[:2]
    assert other.status == 0
    assert f"then: MONITOR_SYSTEMS=cart monitor run -c {tmp_path}" in other.out


def test_the_folder_may_come_from_the_environment(world: World, tmp_path: Path) -> None:
    assert init(world.site.url, MONITOR_CONFIG=str(tmp_path)).status == 0
    assert (tmp_path / "systems" / "site.yaml").exists()


def test_it_writes_to_the_standard_output_alone(world: World, tmp_path: Path) -> None:
    ended = init(world.site.url, "--output", "-", "-c", str(tmp_path))
    assert (ended.status, ended.err, list(tmp_path.iterdir())) == (0, "", [])
    (tmp_path / "piped.yaml").write_text(ended.out)
    file = str(tmp_path / "one.yaml")
    assert init(world.site.url, "--output", file).status == 0
    for written in (file, str(tmp_path / "piped.yaml")):
        assert CliRunner().invoke(app, ["validate", "-c", written]).exit_code == 0


@pytest.mark.parametrize("channel", [(), ("--channel", "oncall")])
def test_it_asks_through_the_channel(channel: tuple[str, ...], world: World, tmp_path: Path) -> None:
    """Not on a terminal it says what was sent."""
    ended = init(world.site.url, "-c", str(tmp_path), *channel, **world.mail)
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == "sent a test through oncall: did you see it?"
    (mail,) = world.mailbox.got
    body = mail.get_body(("plain",))
    assert body
    assert "Did you see this?" in body.get_content()


@pytest.mark.parametrize(
    ("answer", "noted"),
    [("y\n", "the test through oncall was seen."), ("n\n", "the test through oncall was not seen.")],
)
def test_it_notes_the_answer(
    answer: str, noted: str, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal; at the end of the file, which stays valid."""
    monkeypatch.setattr(first, "_somebody_is_there", lambda: True)
    ended = init(world.site.url, "-c", str(tmp_path), typed=answer, **world.mail)
    assert ended.status == 0
    assert noted in ended.out
    assert (tmp_path / "systems" / "site.yaml").read_text().splitlines()[-1].endswith(noted)
    assert CliRunner().invoke(app, ["validate", "-c", str(tmp_path)], env=world.mail).exit_code == 0


def test_a_channel_that_takes_nothing_or_is_none_is_said(world: World, tmp_path: Path) -> None:
    """What was written stays."""
    away = {"SMTP_URL": f"smtp://127.0.0.1:{free_port()}", "ONCALL_EMAIL": "oncall@example.com"}
    refused_by_it = init(world.site.url, "-c", str(tmp_path), "--system", "shop", **away)
    skipped = init(world.site.url, "-c", str(tmp_path), "--system", "cart", "--channel", "ops")
    assert (refused_by_it.status, skipped.status) == (1, 2)
    assert "oncall did not take the test" in refused_by_it.err
    assert "SLACK_WEBHOOK_URL is not set" in skipped.err
    assert (tmp_path / "systems" / "shop.yaml").exists()


def test_of_several_channels_none_is_chosen(world: World, tmp_path: Path) -> None:
    slack = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T0/B0/x"}
    ended = init(world.site.url, "-c", str(tmp_path), **world.mail, **slack)
    assert ended.status == 0
    assert ended.out.splitlines()[-1] == "to see whether they reach somebody: monitor notify NAME, with ops, oncall"
    assert world.mailbox.got == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "give an address, or --render"),
        (["http://127.0.0.1", "--render"], "give an address, or --render"),
        (["ftp://127.0.0.1"], "URL: this is not an address"),
        (["http://127.0.0.1/?token=hunter2"], "'token'"),
        (["http://127.0.0.1", "--system", "The shop"], "'The shop' is not a name"),
        (["--render"], "RENDER_API_KEY is not set: make one in Render, Account Settings"),
    ],
)
def test_what_cannot_be_meant_is_a_configuration_error(words: list[str], said: str) -> None:
    ended = init(*words)
    assert (ended.status, ended.out) == (2, "")
    assert said in ended.err
    assert "hunter2" not in ended.err


def test_where_nothing_answers_nothing_is_written(tmp_path: Path) -> None:
    ended = init(f"127.0.0.1:{free_port()}", "-c", str(tmp_path))
    assert (ended.status, list(tmp_path.iterdir())) == (1, [])
    assert ended.err.endswith("Nothing listens there: is it running, and on this port? Nothing was written.\n")


def test_who_stops_it_has_nothing_written(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(first, "system_text", stopped)
    ended = init(world.site.url, "-c", str(tmp_path))
    assert (ended.status, ended.err, list(tmp_path.iterdir())) == (1, "Stopped. Nothing was written.\n", [])


# Render


def render(world: World, folder: Path, *words: str, typed: str = "", key: str = KEY) -> Ended:
    return init("--render", "--api", world.render.url, "-c", str(folder), *words, typed=typed, RENDER_API_KEY=key)


def test_a_workspace_becomes_a_system(world: World, tmp_path: Path) -> None:
    ended = render(world, tmp_path)
    assert (ended.status, ended.err) == (0, "")
    file = tmp_path / "systems" / "team.yaml"
    assert "https://shop-api.onrender.com/health" in file.read_text()
    assert KEY not in file.read_text() + ended.out
    bare = CliRunner().invoke(app, ["validate", "--no-env", "-c", str(tmp_path)])
    assert bare.exit_code == 0, bare.output


def test_of_several_workspaces_one_must_be_named(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name or id; on a terminal it is asked for."""
    world.render.owners["tea-e0000000000000000000"] = "Others"
    world.render.owners["tea-f0000000000000000000"] = "Others"
    unsaid, twice, nobody = (
        render(world, tmp_path),
        render(world, tmp_path, "--owner", "Others"),
        render(world, tmp_path, "--owner", "Nobody"),
    )
    assert [ended.status for ended in (unsaid, twice, nobody)] == [1, 1, 1]
    assert f"say which with --owner. There are Team ({OWNER}), Others (tea-e" in unsaid.err
    assert "2 are called 'Others'" in twice.err
    assert "0 are called 'Nobody'" in nobody.err
    assert list(tmp_path.iterdir()) == []
    assert render(world, tmp_path, "--owner", OWNER).status == 0
    monkeypatch.setattr(first, "_somebody_is_there", lambda: True)
    assert render(world, tmp_path, "--system", "second", typed="Team\n").status == 0
    assert (tmp_path / "systems" / "second.yaml").exists()


def test_render_that_never_answers_is_given_up(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(first, "FOR_RENDER", timedelta(milliseconds=100))
    world.render.instead = Answer(delay=1.0)
    ended = render(world, tmp_path)
    assert (ended.status, ended.err) == (1, "Render gave no whole answer within 5 minutes. Nothing was written.\n")


def test_a_key_that_sees_nothing_or_is_none(world: World, tmp_path: Path) -> None:
    wrong, odd = render(world, tmp_path, key="rnd_wrong"), render(world, tmp_path, key="rnd_a b")
    world.render.owners.clear()
    nothing = render(world, tmp_path)
    world.render.instead = refused(403, "no")
    forbidden = render(world, tmp_path)
    assert [ended.status for ended in (wrong, odd, nothing, forbidden)] == [1, 2, 1, 1]
    assert "Render does not take the key" in wrong.err
    assert "visible characters alone" in odd.err
    assert "let its user be a member of one" in nothing.err
    assert "does not allow the key to see this" in forbidden.err
    assert "rnd_" not in wrong.err + odd.err + nothing.err + forbidden.err
