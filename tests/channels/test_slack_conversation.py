"""One message per alert, kept up to date: what people see in the channel, in threads and on their phones."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.channels.base import Delivered, Rejected, Retry, deliver
from monitor.channels.slack import SlackChannel
from monitor.channels.slack.thread import MOST_APART, MOST_EDITED, Place, plan
from monitor.model import EventKind, Severity
from tests.channels.examples import delivery, notification, page
from tests.channels.slack_api import BOT, ROOM, Fault, Slack, slack
from tests.peers import says, tcp_peer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from monitor.channels.base import Resources, SendResult
    from monitor.model import Delivery, Notification


@pytest.fixture
async def workspace() -> AsyncIterator[Slack]:
    async with slack() as made:
        yield made


class Teller:
    """Sends as the outbox does: what was posted is known the next time, and a delivery is repeated as it was."""

    def __init__(self, channel: SlackChannel, resources: Resources) -> None:
        self.channel, self.resources = channel, resources
        self.posted: dict[str, str] = {}

    async def tell(self, *notes: Notification) -> SendResult:
        return await self.repeat(replace(delivery(*notes), id="-".join(note.id for note in notes)))

    async def repeat(self, sent: Delivery) -> SendResult:
        result = await deliver(self.channel, replace(sent, posted=dict(self.posted)), self.resources)
        if isinstance(result, Delivered):
            self.posted |= result.posted
        return result


@pytest.fixture
def teller(workspace: Slack, resources: Resources) -> Teller:
    return Teller(workspace.channel(mention="U0ONCALL1"), resources)


def about(number: int = 0, kind: EventKind = EventKind.OPENED, **fields: Any) -> Notification:  # noqa: ANN401 - of any field
    """Return a notification about the alert of that number, by an id of its own."""
    shop = page(title=f"Shop: Page {number}: down", system="shop", check=f"page{number}")
    made = notification(number, kind, **({"about": shop} | fields))
    return replace(made, id=f"{made.id}-{kind}-{fields.get('severity', '')}")


async def test_an_alert_is_one_message_from_its_beginning_to_its_end(workspace: Slack, teller: Teller) -> None:
    """A warning that gets worse, is repeated, eases and ends: one message, five lines of history, two pings."""
    for note in (
        about(severity=Severity.WARNING),
        about(kind=EventKind.WORSENED),
        about(kind=EventKind.REPEATED),
        about(kind=EventKind.ACKNOWLEDGED, quiet=True),
        about(kind=EventKind.EASED, severity=Severity.WARNING),
        about(kind=EventKind.RESOLVED),
    ):
        assert isinstance(await teller.tell(note), Delivered)
    (root,) = workspace.roots
    assert root.headline.startswith("🟢 Resolved")
    assert root.edits == 5
    history = workspace.thread(root)
    told = [line.blocks[-1]["text"]["text"].partition(":")[0] for line in history]
    assert told[:2] == ["🔴 Worse, now CRITICAL", "🔴 Still critical after 45 s"]
    assert told[3:] == ["🟠 Eased to warning", "🟢 Resolved after 45 s"]
    assert workspace.rang == history[:2]
    assert [line.broadcast for line in history] == [True, True, False, False, False]


async def test_the_first_critical_rings_and_its_edits_do_not(workspace: Slack, teller: Teller) -> None:
    await teller.tell(about())
    assert workspace.rang == workspace.roots
    assert "<@U0ONCALL1>" in workspace.roots[0].shown
    await teller.tell(about(kind=EventKind.EASED, severity=Severity.WARNING))
    assert len(workspace.rang) == 1
    assert "<@" not in workspace.roots[0].shown


async def test_here_and_channel_ring_beside_the_thread_since_a_thread_does_not_pass_them_on(
    workspace: Slack, resources: Resources
) -> None:
    teller = Teller(workspace.channel(mention="here"), resources)
    await teller.tell(about(severity=Severity.WARNING))
    await teller.tell(about(kind=EventKind.WORSENED))
    root, ping = workspace.roots
    assert ping.text.startswith("<!here> 🔴 Worse, now CRITICAL: Shop: Page 0: down")
    assert workspace.rang == [ping]
    (line,) = workspace.thread(root)
    assert not line.broadcast
    assert "<!" not in line.text + json.dumps(line.blocks)


async def test_answers_of_steps_change_the_message_and_make_no_line(workspace: Slack, teller: Teller) -> None:
    await teller.tell(about())
    await teller.tell(about(kind=EventKind.ANSWERED, quiet=True))
    assert workspace.roots[0].edits == 1
    assert workspace.thread(workspace.roots[0]) == []


async def test_a_report_is_never_edited(workspace: Slack, teller: Teller) -> None:
    for _ in range(2):
        assert await teller.tell(about(kind=EventKind.REPORTED, severity=Severity.INFO)) == Delivered()
    assert len(workspace.roots) == 2


@pytest.mark.parametrize("count", [4, 500])
async def test_a_storm_is_one_message_and_what_becomes_of_it_stands_in_its_thread(
    count: int, workspace: Slack, teller: Teller
) -> None:
    await teller.tell(*(about(number) for number in range(count)))
    assert len(workspace.messages) == len(workspace.rang) == 1
    assert len(teller.posted) == count
    await teller.tell(about(1, EventKind.RESOLVED))
    await teller.tell(*(about(number, EventKind.RESOLVED) for number in range(2, count)))
    (root,) = workspace.roots
    assert root.edits == 0
    first, rest = workspace.thread(root)
    assert "Resolved after 45 s: Shop: Page 1: down" in first.shown
    assert f"{count - 2} resolved in shop" in rest.shown
    assert len(workspace.rang) == 1


async def test_what_gets_worse_in_a_storm_rings_from_its_thread(workspace: Slack, teller: Teller) -> None:
    await teller.tell(*(about(number, severity=Severity.WARNING) for number in range(9)))
    await teller.tell(*(about(number, EventKind.WORSENED) for number in range(8)))
    (worse,) = workspace.thread(workspace.roots[0])
    assert workspace.rang == [worse]
    assert worse.broadcast


async def test_many_alerts_of_their_own_that_end_together_are_told_together_and_edited(
    workspace: Slack, teller: Teller
) -> None:
    for number in range(30):
        await teller.tell(about(number))
    began = len(workspace.calls)
    await teller.tell(*(about(number, EventKind.RESOLVED) for number in range(30)))
    methods = [method for method, _ in workspace.calls[began:]]
    assert methods.count("chat.postMessage") == 1
    assert methods.count("chat.update") == MOST_EDITED
    assert "30 resolved in shop" in workspace.messages[-1].headline


async def test_an_edit_beside_a_message_that_tells_all_may_fail(workspace: Slack, teller: Teller) -> None:
    for number in range(5):
        await teller.tell(about(number))
    workspace.fails("chat.update", "ratelimited", Fault(status=500), "is_archived")
    with capture_logs() as logs:
        assert isinstance(await teller.tell(*(about(number, EventKind.RESOLVED) for number in range(5))), Delivered)
    assert [entry["event"] for entry in logs] == ["slack_message_not_edited"] * 3


@pytest.mark.parametrize("error", ["message_not_found", "cant_update_message", "edit_window_closed"])
async def test_a_message_that_vanished_is_posted_anew(error: str, workspace: Slack, teller: Teller) -> None:
    await teller.tell(about(severity=Severity.WARNING))
    workspace.fails("chat.update", error)
    result = await teller.tell(about(kind=EventKind.WORSENED))
    old, new = workspace.roots
    assert result == Delivered({"incident0": f"{ROOM}:{new.ts}"})
    assert workspace.rang == [new]
    await teller.tell(about(kind=EventKind.RESOLVED))
    assert (old.edits, new.edits) == (0, 1)


@pytest.mark.parametrize("count", [1, 4])
async def test_a_thread_that_vanished_is_begun_anew(count: int, workspace: Slack, teller: Teller) -> None:
    await teller.tell(*(about(number) for number in range(5)))
    workspace.delete(workspace.roots[0])
    await teller.tell(*(about(number, EventKind.RESOLVED) for number in range(count)))
    assert len(workspace.roots) == 1
    assert "esolved" in workspace.roots[0].headline
    assert teller.posted["incident0"].startswith(f"{ROOM}:{workspace.roots[0].ts}")


async def test_a_reference_to_another_channel_or_of_another_form_is_none(workspace: Slack, teller: Teller) -> None:
    """The file may have named another channel before; a store may hold anything."""
    teller.posted = {"incident0": "C0FORMER1:1.2", "incident1": "?", "incident2": f"{ROOM}:1.2:shard"}
    for number in range(3):
        await teller.tell(about(number, EventKind.REPEATED))
    assert len(workspace.roots) == 3


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("channel_not_found", f"shows this app no channel {ROOM}"),
        ("not_in_channel", "invite it there"),
        ("is_archived", f"the channel {ROOM} is archived"),
        ("invalid_auth", "put its new token here"),
        ("token_revoked", "put its new token here"),
        ("token_expired", "switch token rotation off"),
        ("account_inactive", "removed from the workspace"),
        ("missing_scope", "lacks the scope chat:write: add it"),
        ("restricted_action", "not among them"),
        ("something_new", "Slack refuses it: something_new"),
    ],
)
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_what_will_not_pass_says_what_to_do(
    method: str, error: str, said: str, workspace: Slack, teller: Teller
) -> None:
    if method == "chat.update":
        await teller.tell(about())
    workspace.fails(method, Fault(error=error, more={"needed": "chat:write"}))
    result = await teller.tell(about(kind=EventKind.WORSENED))
    assert isinstance(result, Rejected)
    assert said in result.reason
    assert error in result.reason


@pytest.mark.parametrize(
    ("fault", "after"),
    [
        (Fault(error="ratelimited", headers={"Retry-After": "30"}), timedelta(seconds=30)),
        (Fault(error="ratelimited", status=429, headers={"Retry-After": "30"}), timedelta(seconds=30)),
        (Fault(status=429, headers={"Retry-After": "30"}), timedelta(seconds=30)),
        (Fault(error="internal_error"), None),
        (Fault(error="fatal_error"), None),
        (Fault(error="service_unavailable"), None),
        (Fault(error="request_timeout"), None),
        (Fault(status=503, body="<h1>Slack is away</h1>", headers={"Content-Type": "text/html"}), None),
        (Fault(error="fatal_error", status=500), None),
        (Fault(error="odd", status=500), None),
        (Fault(body="<h1>Log in to the guest network</h1>", headers={"Content-Type": "text/html"}), None),
        (Fault(body='{"ok": true'), None),
        (Fault(body='{"ok": "yes"}'), None),
        (Fault(body='["ok"]'), None),
        (Fault(body='{"ok": false}'), None),
        (Fault(body="[" * 60_000), None),
        (Fault(body=""), None),
    ],
)
async def test_what_passes_by_itself_is_tried_again(
    fault: Fault, after: timedelta | None, workspace: Slack, teller: Teller
) -> None:
    workspace.fails("chat.postMessage", fault)
    result = await teller.tell(about())
    assert isinstance(result, Retry)
    assert result.after == after
    assert isinstance(await teller.tell(about()), Delivered)
    assert len(workspace.roots) == 1


async def test_an_answer_that_breaks_off_after_it_said_all_is_not_posted_again(resources: Resources) -> None:
    """It repeats the whole message, so the next one would break off at the same place."""
    body = f'{{"ok":true,"channel":"{ROOM}","ts":"1763700000.000100","message":{{"text":"'
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n{body}".encode()
    async with tcp_peer(says(answer, close=True)) as peer:
        fields = {"token": BOT, "channel": ROOM, "url": f"http://127.0.0.1:{peer.port}/api"}
        result = await deliver(SlackChannel.model_validate(fields), delivery(), resources)
    assert result == Delivered({"incident0": f"{ROOM}:1763700000.000100"})


@pytest.mark.parametrize("error", ["msg_too_long", "invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long"])
@pytest.mark.parametrize("method", ["chat.postMessage", "chat.update"])
async def test_a_form_that_slack_refuses_is_left_out(error: str, method: str, workspace: Slack, teller: Teller) -> None:
    """A plain message beats none; of an edit, the former blocks must not stay."""
    if method == "chat.update":
        await teller.tell(about())
    workspace.fails(method, error)
    with capture_logs() as logs:
        assert isinstance(await teller.tell(about(kind=EventKind.WORSENED)), Delivered)
    assert [entry["event"] for entry in logs] == ["slack_refused_blocks"]
    assert workspace.roots[0].blocks == []
    assert "Worse, now CRITICAL: Shop: Page 0: down" in workspace.roots[0].text
    assert len(workspace.rang) == (1 if method == "chat.postMessage" else 2)


async def test_a_repetition_sends_only_what_was_not_taken_and_knows_where_the_rest_stands(
    workspace: Slack, teller: Teller
) -> None:
    sent = delivery(about(0), about(1), about(2))
    workspace.fails("chat.postMessage", Fault(error="ratelimited", after=0.05))
    assert isinstance(await teller.repeat(sent), Retry)
    assert len(workspace.roots) == 2
    result = await teller.repeat(sent)
    assert len(workspace.roots) == 3
    assert isinstance(result, Delivered)
    assert set(result.posted) == {"incident0", "incident1", "incident2"}
    assert {place.split(":")[1] for place in result.posted.values()} == {root.ts for root in workspace.roots}


async def test_a_line_of_history_that_was_not_taken_is_told_once(workspace: Slack, teller: Teller) -> None:
    await teller.tell(about(severity=Severity.WARNING))
    workspace.fails("chat.postMessage", "internal_error")
    assert isinstance(await teller.tell(about(kind=EventKind.WORSENED)), Retry)
    assert isinstance(await teller.tell(about(kind=EventKind.WORSENED)), Delivered)
    assert len(workspace.thread(workspace.roots[0])) == len(workspace.rang) == 1


async def test_slow_is_given_up_within_the_deadline(workspace: Slack, resources: Resources) -> None:
    workspace.fails("chat.postMessage", Fault(after=5))
    result = await deliver(workspace.channel(), delivery(), resources, timedelta(seconds=0.1))
    assert result == Retry("no answer within 0.1 s")


async def test_the_token_goes_to_slack_and_nowhere_else(workspace: Slack, teller: Teller) -> None:
    workspace.fails("chat.postMessage", Fault(status=403, body=f"no entry for {BOT}"))
    with capture_logs() as logs:
        result = await teller.tell(about())
    assert result == Rejected("answered 403: no entry for •••")
    assert "hunter2" not in repr(logs) + json.dumps(workspace.calls)


async def test_without_an_app_token_there_are_no_buttons(workspace: Slack, resources: Resources) -> None:
    teller = Teller(workspace.channel(app_token=None), resources)
    await teller.tell(about())
    assert workspace.roots[0].buttons == {}
    assert not teller.channel.acknowledges


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "give either webhook_url, or token and channel"),
        ({"token": BOT, "webhook_url": "https://hooks.slack.com/x", "channel": ROOM}, "give either webhook_url"),
        ({"token": BOT}, "token needs channel"),
        ({"webhook_url": "https://hooks.slack.com/x", "channel": ROOM}, "a webhook knows neither"),
        ({"webhook_url": "https://hooks.slack.com/x", "app_token": "xapp-1"}, "a webhook knows neither"),
        ({"token": BOT, "channel": ROOM, "users": ["U0ALICE"]}, "there are none without app_token"),
        ({"token": "xoxp-tokentoken", "channel": ROOM}, "begins with xoxb-"),
        ({"token": BOT, "channel": ROOM, "app_token": "xoxb-tokentoken"}, "begins with xapp-"),
        ({"token": BOT, "channel": "#monitor"}, "should match pattern"),
        ({"token": BOT, "channel": ROOM, "app_token": "xapp-1", "users": ["alice"]}, "should match pattern"),
        ({"token": BOT, "channel": ROOM, "url": "http://slack.example.com"}, "must be an https:// address"),
    ],
)
def test_what_does_not_go_together_is_an_error(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        SlackChannel.model_validate(fields)
    assert said in str(caught.value)
    assert "tokentoken" not in str(caught.value)


def test_that_anybody_may_press_is_doubtful() -> None:
    fields = {"token": BOT, "channel": ROOM, "app_token": "xapp-1"}
    assert list(SlackChannel.model_validate(fields).doubts()) == [
        "every member of the workspace who sees the channel may acknowledge and silence: name them in users"
    ]
    assert not list(SlackChannel.model_validate(fields | {"users": ["U0ALICE"]}).doubts())


def test_what_belongs_to_many_storms_is_told_in_one_message() -> None:
    """Which the later changes of all of them refer to."""
    notes = [about(number, EventKind.WORSENED) for number in range(8)]
    posted = {note.incident: f"{ROOM}:{number // 2}.0:shared" for number, note in enumerate(notes)}
    (step,) = plan(replace(delivery(*notes), posted=posted), ROOM)
    assert step.at is None
    assert step.notes == tuple(notes)


KINDS = st.sampled_from([EventKind.OPENED, EventKind.WORSENED, EventKind.RESOLVED, EventKind.REPEATED])
REFERENCES = st.sampled_from(["", f"{ROOM}:1.0", f"{ROOM}:2.0:shared", f"{ROOM}:3.0:shared", "C0OTHER:1.0"])


@given(st.lists(st.tuples(KINDS, REFERENCES), min_size=1, max_size=60))
def test_whatever_is_told_each_alert_is_told_of_once_and_few_messages_are_made(
    told: list[tuple[EventKind, str]],
) -> None:
    notes = [about(number, kind) for number, (kind, _) in enumerate(told)]
    posted = {note.incident: at for note, (_, at) in zip(notes, told, strict=True)}
    steps = plan(replace(delivery(*notes), posted=posted), ROOM)
    assert sorted(note.id for step in steps if not step.may_fail for note in step.notes) == sorted(
        note.id for note in notes
    )
    assert sum(not step.may_fail for step in steps) <= 2 * MOST_APART + 1
    assert sum(step.may_fail for step in steps) <= MOST_EDITED
    assert len({step.id for step in steps}) == len(steps)
    assert [step.loud for step in steps] == sorted((step.loud for step in steps), reverse=True)


@given(st.text(alphabet="C0:.x", max_size=12), st.text(alphabet="0123.:", max_size=12), st.booleans())
def test_a_reference_means_the_place_that_it_was_made_of(channel: str, ts: str, shared: bool) -> None:
    place = Place(channel, ts, shared)
    whole = bool(channel and ts) and ":" not in channel + ts
    assert Place.of(str(place)) == place if whole else True
    assert Place.of("") is None
