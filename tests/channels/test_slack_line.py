"""Socket Mode: people press buttons, over a connection that breaks, hangs, is renewed and says anything."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from structlog.testing import capture_logs

from monitor.channels.base import Delivered, deliver, listen
from monitor.channels.slack import line
from monitor.channels.slack.api import Api
from monitor.channels.slack.line import Line
from monitor.model import Deed, EventKind, Failure, Notification, Scope
from monitor.secrets import Secret
from tests.channels.examples import delivery, notification, page
from tests.channels.slack_api import APP, BOT, HOME, ROOM, Fault, Message, Slack, slack, until
from tests.peers import free_port, silence, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from monitor.channels.base import Resources
    from monitor.channels.slack import SlackChannel
    from monitor.model import Act, Delivery

BOTH_LOOPS = True


@pytest.fixture
async def workspace() -> AsyncIterator[Slack]:
    async with slack() as made:
        yield made


@dataclass
class Ears:
    """Whoever carries out what people do: keeps it, and answers. An act is done once, however often it comes."""

    notes: dict[str, Notification] = field(default_factory=dict)
    known: dict[str, dict[str, str]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    slow: asyncio.Event | None = None
    crash: Exception | None = None

    async def hear(self, act: Act) -> str:
        if self.slow:
            await self.slow.wait()
        if self.crash:
            raise self.crash
        self.acts.append(act)
        self.done.add(act.id)
        return f"{act.scope}: {act.deed} by {act.who} <@U1>"

    def posted(self, channel: str) -> Mapping[str, str]:
        return self.known.get(channel, {})

    def about(self, incident: str) -> Notification | None:
        return self.notes.get(incident)


@asynccontextmanager
async def heard(
    channels: dict[str, SlackChannel], ears: Ears, resources: Resources
) -> AsyncIterator[dict[str, asyncio.Task[str]]]:
    """Listen to `channels` side by side, as the daemon does."""
    tasks = {
        name: asyncio.create_task(listen(channel.among(channels), name, ears, resources))
        for name, channel in channels.items()
    }
    try:
        yield tasks
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


async def posted(channel: SlackChannel, ears: Ears, resources: Resources, sent: Delivery, name: str = "ops") -> None:
    """Send `sent`, and know of it as the daemon does."""
    result = await deliver(channel, sent, resources)
    assert isinstance(result, Delivered)
    ears.known.setdefault(name, {}).update(result.posted)
    ears.notes |= {note.incident: note for note in sent.notifications}


async def test_a_press_is_carried_out_and_answered_to_the_person_alone(workspace: Slack, resources: Resources) -> None:
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge")
        await workspace.press(workspace.roots[0], "Silence 1 h")
        await workspace.press(workspace.roots[0], "Run now")
        await until(lambda: len(workspace.private) == 3)
    assert [act.deed for act in ears.acts] == [Deed.ACKNOWLEDGE, Deed.SILENCE, Deed.RUN]
    assert {act.scope for act in ears.acts} == {Scope("capliquify", "backend", "down")}
    who, said = workspace.private[0]
    assert who == "U0ALICE"
    assert said.startswith("capliquify/backend down: acknowledge by alice (U0ALICE)")
    assert "<@" not in said
    assert len(workspace.messages) == 1


async def test_it_is_acknowledged_before_anything_is_done(workspace: Slack, resources: Resources) -> None:
    """Slack waits for three seconds; what follows may take longer."""
    channel, ears = workspace.channel(), Ears(slow=asyncio.Event())
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge")
        assert ears.acts == []
        assert ears.slow
        ears.slow.set()
        await until(lambda: len(workspace.private) == 1)


async def test_what_comes_twice_is_done_once(workspace: Slack, resources: Resources) -> None:
    """The same envelope is left alone; the same press in another one is the same act."""
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        envelope = await workspace.press(workspace.roots[0], "Acknowledge")
        await workspace.tell(envelope)
        await workspace.tell({**envelope, "envelope_id": "another"})
        await until(lambda: len(workspace.private) == 2)
    assert len(ears.done) == 1
    assert len(ears.acts) == 2


@pytest.mark.parametrize(
    ("users", "person", "allowed"),
    [
        ([], {}, True),
        ([], {"team_id": "T0OTHER"}, False),
        ([], {"team_id": None}, False),
        (["U0ALICE"], {}, True),
        (["U0ALICE"], {"team_id": "T0OTHER"}, True),
        (["U0BOBBY"], {}, False),
    ],
)
async def test_who_may_not_press_is_told_so_and_nothing_happens(
    users: list[str], person: dict[str, Any], allowed: bool, workspace: Slack, resources: Resources
) -> None:
    channel, ears = workspace.channel(users=users), Ears()
    await posted(channel, ears, resources, delivery())
    user = {"id": "U0ALICE", "username": "alice", "team_id": HOME} | person
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        button = workspace.roots[0].buttons["Acknowledge"]
        envelope = workspace.envelope(workspace.roots[0], button, "U0ALICE")
        await workspace.tell({**envelope, "payload": {**envelope["payload"], "user": user}})
        await until(lambda: len(workspace.private) == 1)
    assert bool(ears.acts) is allowed
    assert allowed or "may" in workspace.private[0][1]


async def test_a_press_below_an_old_message_does_nothing_and_says_so(workspace: Slack, resources: Resources) -> None:
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    ears.notes = {}
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge")
        await until(lambda: len(workspace.private) == 1)
    assert ears.acts == []
    assert workspace.private[0][1] == "That is over: nothing was done."


async def test_which_step_fixed_it_is_noted_after_the_end(workspace: Slack, resources: Resources) -> None:
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery(notification(kind=EventKind.RESOLVED)))
    ears.notes = {}
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "2. See who holds the connections.")
        await until(lambda: len(workspace.private) == 1)
    assert [(act.deed, act.why) for act in ears.acts] == [(Deed.NOTE, "See who holds the connections.")]


async def test_all_of_a_storm_is_taken_that_still_goes_on(workspace: Slack, resources: Resources) -> None:
    channel, ears = workspace.channel(), Ears()
    about = [page(system="shop", check=f"page{number}") for number in range(9)]
    await posted(channel, ears, resources, delivery(*(notification(n, about=one) for n, one in enumerate(about))))
    await posted(channel, ears, resources, replace(delivery(notification(70)), id="other"))
    for over in ("incident3", "incident4"):
        del ears.notes[over]
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge all")
        await until(lambda: len(workspace.private) == 1)
        ears.notes = {}
        await workspace.press(workspace.roots[0], "Silence all 1 h")
        await until(lambda: len(workspace.private) == 2)
    assert [act.scope.check for act in ears.acts] == [f"page{number}" for number in range(9) if number not in {3, 4}]
    assert len(ears.done) == 7
    assert workspace.private[1][1] == "That is over: nothing was done."


async def test_channels_of_one_app_share_a_connection_and_each_keeps_its_own_rules(
    workspace: Slack, resources: Resources
) -> None:
    """Slack tells a press to any one of an app's connections."""
    workspace.members.add("C0SECOND")
    channels = {
        "hook": workspace.channel(token=None, channel="", app_token=None, webhook_url="http://127.0.0.1:9/x"),
        "ops": workspace.channel(users=["U0BOBBY"]),
        "all": workspace.channel(channel="C0SECOND"),
        "urgent": workspace.channel(users=["U0ALICE"]),
    }
    ears = Ears()
    await posted(channels["all"], ears, resources, delivery(), "all")
    await posted(channels["ops"], ears, resources, delivery(notification(1)), "ops")
    await posted(channels["urgent"], ears, resources, delivery(notification(2)), "urgent")
    async with heard(channels, ears, resources) as tasks:
        await workspace.sees(1)
        for message in workspace.roots:
            await workspace.press(message, "Acknowledge")
        await until(lambda: len(workspace.private) == 3)
        assert [name for name, task in tasks.items() if task.done()] == ["hook", "all", "urgent"]
    assert workspace.opened == 1
    assert sorted(act.incident for act in ears.acts) == ["incident0", "incident2"]


MALFORMED = [
    "garbage",
    "[" * 10_000,
    "[]",
    "null",
    '{"envelope_id": 5}',
    {"envelope_id": "a"},
    {"envelope_id": "b", "type": "interactive"},
    {"envelope_id": "c", "type": "interactive", "payload": {"type": "view_submission"}},
    {"envelope_id": "d", "type": "events_api", "payload": {}},
    {"envelope_id": "e", "type": "interactive", "payload": {"type": "block_actions", "actions": []}},
    {"type": "unheard_of"},
]


async def test_what_is_malformed_or_foreign_does_no_harm(workspace: Slack, resources: Resources) -> None:
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    elsewhere = Message("C0FOREIGN", "1763700000.000100", "", workspace.roots[0].blocks)
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        for envelope in MALFORMED:
            await workspace.tell(envelope)
        await workspace.press(elsewhere, "Acknowledge")
        await workspace.sockets[0].response.send_bytes(b"\xff" * 100)
        await workspace.press(workspace.roots[0], "Acknowledge")
        await until(lambda: len(workspace.private) == 1)
    assert len(ears.acts) == 1
    assert workspace.opened == 1


async def test_a_huge_envelope_ends_the_connection_and_nothing_else(workspace: Slack, resources: Resources) -> None:
    channel = workspace.channel()
    async with heard({"ops": channel}, Ears(), resources) as tasks:
        await workspace.sees(1)
        await workspace.sockets[0].response.send_str("x" * (line.LARGEST + 1))
        assert "broke off" in await asyncio.wait_for(tasks["ops"], 5)


async def test_a_bug_behind_a_button_is_told_and_the_next_press_is_heard(
    workspace: Slack, resources: Resources
) -> None:
    channel, ears = workspace.channel(), Ears(crash=RuntimeError("with hunter2hunter2"))
    await posted(channel, ears, resources, delivery())
    with capture_logs() as logs:
        async with heard({"ops": channel}, ears, resources):
            await workspace.sees(1)
            await workspace.press(workspace.roots[0], "Acknowledge")
            await until(lambda: len(workspace.private) == 1)
            ears.crash = None
            await workspace.press(workspace.roots[0], "Acknowledge")
            await until(lambda: len(workspace.private) == 2)
    assert workspace.private[0][1] == "That failed (RuntimeError); the log says more."
    assert len(ears.acts) == 1
    assert "hunter2" not in repr(logs)


@pytest.mark.parametrize("fault", [Fault(error="user_not_in_channel"), Fault(body="<h1>"), Fault(status=500)])
async def test_an_answer_that_does_not_arrive_undoes_nothing(
    fault: Fault, workspace: Slack, resources: Resources
) -> None:
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    workspace.fails("chat.postEphemeral", fault)
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        with capture_logs() as logs:
            await workspace.press(workspace.roots[0], "Acknowledge")
            await until(lambda: bool(logs))
    assert len(ears.acts) == 1
    assert [entry["event"] for entry in logs] == ["slack_click_not_answered"]


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
async def test_a_connection_is_renewed_before_the_former_is_gone(
    reason: str, workspace: Slack, resources: Resources
) -> None:
    """What the former still brings is heard."""
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    heard_line = Line(
        Api(channel.url, Secret(APP), resources.session),
        lambda payload: _note(ears, payload),
        shortest=timedelta(),
    )
    keeping = asyncio.create_task(heard_line.keep())
    await workspace.sees(1)
    await workspace.tell({"type": "disconnect", "reason": reason})
    await workspace.sees(2)
    former, present = workspace.sockets
    button = workspace.roots[0].buttons["Acknowledge"]
    for socket in (former, present):
        await workspace.tell(workspace.envelope(workspace.roots[0], button, "U0ALICE"), socket)
    await former.response.close()
    await workspace.sees(1)
    await workspace.tell(workspace.envelope(workspace.roots[0], button, "U0ALICE"))
    await until(lambda: len(ears.acts) == 3)
    assert not keeping.done()
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)
    await workspace.sees(0)


async def _note(ears: Ears, payload: Any) -> None:  # noqa: ANN401 - JSON
    ears.acts.append(payload)


async def test_a_renewal_at_once_is_a_fault_so_that_none_runs_in_circles(
    workspace: Slack, resources: Resources
) -> None:
    workspace.greeting = [{"type": "disconnect", "reason": "refresh_requested"}]
    why = await asyncio.wait_for(listen(workspace.channel(), "ops", Ears(), resources), 5)
    assert why == "Slack ends the connection: refresh_requested"
    assert workspace.opened == 1


@pytest.mark.parametrize("said", [{"reason": "link_disabled"}, {"reason": "too_many_websockets"}, {}])
async def test_an_end_that_is_no_renewal_is_told(said: dict[str, str], workspace: Slack, resources: Resources) -> None:
    workspace.greeting = [{"type": "disconnect", **said}]
    why = await asyncio.wait_for(listen(workspace.channel(), "ops", Ears(), resources), 5)
    assert why == f"Slack ends the connection: {said.get('reason', 'without a reason')}"


async def test_a_connection_that_breaks_off_is_told(workspace: Slack, resources: Resources) -> None:
    async with heard({"ops": workspace.channel()}, Ears(), resources) as tasks:
        await workspace.sees(1)
        transport = workspace.sockets[0].response._req
        assert transport is not None
        assert transport.transport is not None
        transport.transport.close()
        assert "broke off" in await asyncio.wait_for(tasks["ops"], 5)


async def test_a_peer_that_hangs_is_noticed(workspace: Slack, resources: Resources) -> None:
    workspace.deaf = True
    heard_line = Line(
        Api(f"http://127.0.0.1:{workspace.port}/api", Secret(APP), resources.session),
        lambda payload: _note(Ears(), payload),
        heartbeat=timedelta(seconds=0.1),
    )
    with pytest.raises(Failure, match="broke off"):
        await asyncio.wait_for(heard_line.keep(), 5)


@pytest.mark.parametrize(
    ("method", "fault", "said"),
    [
        ("apps.connections.open", Fault(error="invalid_auth"), "the token is not valid"),
        ("apps.connections.open", Fault(error="not_allowed_token_type"), "`app_token` the app's"),
        (
            "apps.connections.open",
            Fault(error="missing_scope", more={"needed": "connections:write"}),
            "connections:wri",
        ),
        ("apps.connections.open", Fault(status=500), "answered 500"),
        ("apps.connections.open", Fault(body='{"ok": true}'), "no address of a socket"),
        ("apps.connections.open", Fault(body='{"ok": true, "url": 5}'), "no address of a socket"),
        ("apps.connections.open", Fault(body='{"ok": true, "url": "http://x/"}'), "no address of a socket"),
        ("apps.connections.open", Fault(body='{"ok": true, "url": "ws://evil.example/"}'), "no address of a socket"),
        ("apps.connections.open", Fault(body='{"ok": true, "url": "wss://[::1/"}'), "no address of a socket"),
        ("auth.test", Fault(error="internal_error"), "internal_error"),
        ("auth.test", Fault(status=502), "answered 502"),
    ],
)
async def test_a_connection_that_cannot_be_had_is_told(
    method: str, fault: Fault, said: str, workspace: Slack, resources: Resources
) -> None:
    workspace.fails(method, fault)
    why = await asyncio.wait_for(listen(workspace.channel(), "ops", Ears(), resources), 5)
    assert said in why


@pytest.mark.parametrize("talk", ["silent", "refused", "404"])
async def test_a_socket_that_does_not_open_is_told_without_its_address(
    talk: str, workspace: Slack, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "HANDSHAKE", timedelta(seconds=0.2))
    async with tcp_peer(silence) as peer:
        port = {"silent": peer.port, "refused": free_port(), "404": workspace.port}[talk]
        body = json.dumps({"ok": True, "url": f"ws://127.0.0.1:{port}/nowhere?ticket=secretticket"})
        workspace.fails("apps.connections.open", Fault(body=body))
        why = await asyncio.wait_for(listen(workspace.channel(), "ops", Ears(), resources), 5)
    assert why
    assert "secretticket" not in why


async def test_a_workspace_that_cannot_be_known_lets_only_named_people_press(
    workspace: Slack, resources: Resources
) -> None:
    workspace.fails("auth.test", "account_inactive")
    channel, ears = workspace.channel(), Ears()
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge")
        await until(lambda: len(workspace.private) == 1)
    assert ears.acts == []


async def test_more_presses_than_anybody_makes_are_left_out(
    workspace: Slack, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_AT_WORK", 2)
    monkeypatch.setattr(line, "MOST_REMEMBERED", 2)
    channel, ears = workspace.channel(), Ears(slow=asyncio.Event())
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources):
        await workspace.sees(1)
        with capture_logs() as logs:
            for _ in range(5):
                await workspace.press(workspace.roots[0], "Acknowledge")
        assert ears.slow
        ears.slow.set()
        await until(lambda: len(workspace.private) == 2)
    assert len(ears.acts) == 2
    assert [entry["event"] for entry in logs] == ["slack_clicks_left_out"] * 3


async def test_what_was_acknowledged_is_done_though_the_connection_breaks(
    workspace: Slack, resources: Resources
) -> None:
    """Slack tells it nobody again."""
    channel, ears = workspace.channel(), Ears(slow=asyncio.Event())
    await posted(channel, ears, resources, delivery())
    async with heard({"ops": channel}, ears, resources) as tasks:
        await workspace.sees(1)
        await workspace.press(workspace.roots[0], "Acknowledge")
        await workspace.sockets[0].response.close()
        assert ears.slow
        ears.slow.set()
        await asyncio.wait_for(tasks["ops"], 5)
    assert len(ears.acts) == 1


async def test_no_token_and_no_ticket_shows(workspace: Slack, resources: Resources) -> None:
    workspace.fails("apps.connections.open", Fault(status=403, body=f"no entry for {APP} and {BOT} in {ROOM}"))
    with capture_logs() as logs:
        why = await asyncio.wait_for(listen(workspace.channel(), "ops", Ears(), resources), 5)
    assert why == f"answered 403: no entry for ••• and ••• in {ROOM}"
    assert "hunter2" not in repr(logs)
