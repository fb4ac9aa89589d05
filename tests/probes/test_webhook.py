"""The kind webhook against receivers that verify with the senders' own libraries, and against hostile ones."""

from __future__ import annotations

import base64
import json
import re
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from monitor.clock import SystemClock
from monitor.config import Config, load
from monitor.doubts import doubts
from monitor.explain import explain
from monitor.faults import ConfigError
from monitor.model import CheckId, Reason, Sample, State
from monitor.probes.base import observe
from monitor.probes.webhook import WebhookCheck
from monitor.secrets import Redactor, Secret
from monitor.settings import read_settings
from tests.fakes import START
from tests.peers import hangs_up, says, silence, tcp_peer
from tests.systems.receiver import Receiver, now
from tests.systems.site import Answer, Site, page, says_json

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from monitor.clock import Clock
    from monitor.plan import Plan
    from monitor.probes.base import Resources
    from tests.peers import Talk

CHECK = CheckId("shop", "hooks")
ROUTE = ("POST", "/hooks")
STRIPE, OTHER = "whsec_hunter2", "whsec_another1"
STANDARD = f"whsec_{base64.b64encode(b'correct horse').decode()}"
SECRETS = {"stripe": STRIPE, "standard-webhooks": STANDARD, "shopify": "shpss_hunter2", "github": "hunter2 & more"}
REFUSAL = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
CANARY = {"canary": True, "writes": True}


@asynccontextmanager
async def listening(receiver: Receiver | None = None) -> AsyncIterator[Site]:
    """Run a host with that receiver under `/hooks`."""
    site = Site("127.0.0.1", None)
    if receiver:
        site.answers[ROUTE] = receiver
    async with AsyncExitStack() as stack:
        await site.start(stack)
        yield site


def first(answer: bytes, then: Talk = silence) -> Talk:
    """Answer the first connection so, and talk to the others in another way."""
    answers = [says(answer)]

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await (answers.pop() if answers else then)(reader, writer)

    return talk


def check(url: str, **fields: object) -> WebhookCheck:
    return WebhookCheck.model_validate({"url": f"{url}/hooks", "scheme": "stripe", "secret": STRIPE, **fields})


async def looked(made: WebhookCheck, resources: Resources, clock: Clock | None = None) -> Sample:
    """Look once, with the check's secrets known as the daemon knows them, and hold the sample against the kind."""
    redact = Redactor([*(made.secret or ()), Secret("hunter2")])
    sample = await observe(CHECK, made, replace(resources, redact=redact), clock or SystemClock())
    assert sample.reason is None or sample.reason in made.reasons
    declared = {spec.name: set(spec.labels) for spec in made.declared()}
    assert all({name for name, _ in measure.labels} == declared[measure.name] for measure in sample.measures)
    assert "hunter2" not in repr(sample)
    return sample


def measured(sample: Sample, name: str) -> dict[str, float]:
    """Return the values of one measure by event."""
    return {dict(each.labels)["event"]: each.value for each in sample.measures if each.name == name}


@pytest.mark.parametrize(
    ("scheme", "statuses"),
    [
        ("stripe", {"unsigned": 400, "forged": 400, "canary": 200, "stale": 400}),
        ("standard-webhooks", {"unsigned": 400, "forged": 400, "canary": 200, "stale": 400}),
        ("shopify", {"unsigned": 401, "forged": 401, "canary": 200}),
        ("github", {"unsigned": 403, "forged": 403, "canary": 200}),
    ],
)
async def test_a_receiver_as_documented_is_up(scheme: str, statuses: dict[str, int], resources: Resources) -> None:
    """Its sender's own library takes the canary and nothing else; every event has an id of its own."""
    receiver = Receiver(scheme, SECRETS[scheme])
    async with listening(receiver) as site:
        sample = await looked(check(site.url, scheme=scheme, secret=SECRETS[scheme], forged=True, **CANARY), resources)
    assert sample.state is State.UP, sample.detail
    assert measured(sample, "status") == statuses
    assert measured(sample, "duration").keys() == measured(sample, "phase").keys() == statuses.keys()
    assert len(receiver.accepted) == 1
    assert "canary" in json.dumps(receiver.accepted[0])
    sent = [json.loads(body) for _, body in receiver.seen]
    assert len({json.dumps(event) for event in sent}) == len(statuses)
    assert len(
        {
            headers.get("webhook-id") or event.get("id") or event.get("delivery")
            for (headers, _), event in zip(receiver.seen, sent, strict=True)
        }
    ) == len(statuses)


async def test_without_writes_nothing_is_sent_that_could_be_kept(resources: Resources) -> None:
    """A canary that the file asks for waits for `writes: true`; what must be refused is sent all the same."""
    receiver = Receiver("stripe", STRIPE)
    async with listening(receiver) as site:
        sample = await looked(check(site.url, canary=True), resources)
    assert sample.state is State.UP
    assert measured(sample, "status") == {"unsigned": 400}
    assert receiver.accepted == []


async def test_no_scheme_is_needed_to_be_refused(resources: Resources) -> None:
    async with listening() as site:
        site.answers[ROUTE] = Answer(403)
        made = WebhookCheck(url=f"{site.url}/hooks")
        assert (await looked(made, resources)).state is State.UP
        site.answers[ROUTE] = Answer(200)
        sample = await looked(made, resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.AUTH)


async def test_a_file_may_say_what_refuses(resources: Resources) -> None:
    """Instead of what is documented, which is a fault then."""
    async with listening() as site:
        site.answers[ROUTE] = Answer(403)
        assert (await looked(check(site.url, refuses=[403, "420-429"]), resources)).state is State.UP
        site.answers[ROUTE] = Answer(400)
        sample = await looked(check(site.url, refuses=[403, "420-429"]), resources)
    assert (sample.reason, sample.detail.partition(", got")[0]) == (
        Reason.STATUS,
        "expected status 403 or 420-429 to an unsigned event",
    )


async def test_a_scheme_of_ones_own(resources: Resources) -> None:
    """GitHub's, described as a file describes it; headers of ours of the same name give way."""
    receiver = Receiver("github", "hunter2")
    signature = {"header": "X-Hub-Signature-256", "value": "sha256={signature}", "headers": {"X-Event": "{type}"}}
    event = {"type": "canary", "body": {"canary": "yes", "more": [1]}}
    fields = {"scheme": "hmac", "signature": signature, "secret": "hunter2", "event": event}
    async with listening(receiver) as site:
        made = check(site.url, **fields, **CANARY, headers={"Content-Type": "text/x-json", "X-Gate": "open"})
        sample = await looked(made, resources)
    assert sample.state is State.UP, sample.detail
    headers, _ = receiver.seen[-1]
    assert (headers["X-Event"], headers["X-Gate"], headers["Content-Type"]) == ("canary", "open", "text/x-json")
    (taken,) = receiver.accepted
    assert (taken["type"], taken["canary"], taken["more"]) == ("canary", "yes", [1])


@pytest.mark.parametrize(
    ("answer", "reason", "said"),
    [
        (Answer(404), Reason.MISSING, "to an unsigned event, got 404 (the route is not registered)"),
        (Answer(405), Reason.MISSING, "the route takes no POST"),
        (page("<h1>502</h1>", 502), Reason.STATUS, "got 502 (the service is down)"),
        (says_json({"ok": True}), Reason.AUTH, 'an unsigned event was accepted: anybody can forge events): "{"ok"'),
        (Answer(400, "x" * 2**21), None, ""),
        (page("<h1>No</h1>", 400), None, ""),
        (Answer(308, "", {"Location": "http://127.0.0.1:9/"}), Reason.PROTOCOL, "a redirect to http://127.0.0.1:9/"),
        (Answer(400, "", {"Location": "http://127.0.0.1:9/"}), None, ""),
    ],
)
async def test_what_comes_back_to_an_unsigned_event(
    answer: Answer, reason: Reason | None, said: str, resources: Resources
) -> None:
    """A refusal is one whatever else it holds; no redirect is followed."""
    async with listening() as site:
        site.answers[ROUTE] = answer
        sample = await looked(check(site.url), resources)
    assert sample.reason is reason, sample
    assert said in sample.detail


async def test_a_hole_ends_the_run(resources: Resources) -> None:
    """What follows could say nothing, and is not sent."""
    receiver = Receiver("stripe", STRIPE, trusts=True)
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert (sample.reason, len(receiver.seen)) == (Reason.AUTH, 1)


async def test_another_secret_is_told_from_another_clock(resources: Resources) -> None:
    receiver = Receiver("stripe", OTHER)
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.HEADER)
    assert "to the signed canary, got 400 (its secret differs from ours; its clock agrees with ours" in sample.detail
    assert "No signatures found matching the expected signature" in sample.detail


async def test_a_clock_that_is_ten_minutes_ahead_refuses_the_canary(resources: Resources) -> None:
    """It would refuse what Stripe sends too, and the page says by how much it differs."""
    receiver = Receiver("stripe", STRIPE, clock=lambda: now() + timedelta(minutes=10))
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert (sample.state, sample.reason) == (State.DOWN, Reason.HEADER)
    assert re.search(r"its clock is (9 min 5\d s|10 min) ahead of ours, so one of the two is wrong", sample.detail)
    assert "Timestamp outside the tolerance zone" in sample.detail


async def test_a_clock_that_was_set_under_the_daemon_is_no_fault_of_the_receiver(resources: Resources) -> None:
    """The daemon's own time leans towards it for hours; events carry what the machine's clock shows."""

    class Leaning(SystemClock):
        def now(self) -> datetime:
            return super().now() - timedelta(hours=1)

    async with listening(Receiver("standard-webhooks", STANDARD)) as site:
        made = check(site.url, scheme="standard-webhooks", secret=STANDARD, **CANARY)
        assert (await looked(made, resources, Leaning())).state is State.UP


async def test_a_clock_that_is_ten_minutes_behind_takes_an_old_event(resources: Resources) -> None:
    """Stripe's library refuses no event from the future, so that the canary passes."""
    receiver = Receiver("stripe", STRIPE, clock=lambda: now() - timedelta(minutes=11))
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert sample.reason is Reason.AUTH
    assert re.search(r"an old event was accepted.*; its clock is 11 min( \d s)? behind ours", sample.detail)


async def test_a_receiver_that_looks_at_no_time_is_found(resources: Resources) -> None:
    receiver = Receiver("stripe", STRIPE, replays=True)
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
        assert (await looked(check(site.url, **CANARY, stale=False), resources)).state is State.UP
    assert sample.reason is Reason.AUTH
    assert "an old event was accepted: whoever has seen one can send it again" in sample.detail


@pytest.mark.parametrize(("known", "state"), [(0, State.UP), (1, State.UP)])
@pytest.mark.parametrize("scheme", ["stripe", "standard-webhooks"])
async def test_a_secret_may_be_replaced_while_it_runs(
    scheme: str, known: int, state: State, resources: Resources
) -> None:
    """A receiver that knows either of two secrets takes what is signed with both."""
    secrets = [SECRETS[scheme], f"whsec_{base64.b64encode(b'another').decode()}"]
    async with listening(Receiver(scheme, secrets[known])) as site:
        sample = await looked(check(site.url, scheme=scheme, secret=secrets, **CANARY), resources)
    assert sample.state is state, sample.detail


async def test_where_there_is_room_for_one_signature_the_first_secret_makes_it(resources: Resources) -> None:
    async with listening(Receiver("shopify", "old")) as site:
        fields = {"scheme": "shopify", **CANARY}
        assert (await looked(check(site.url, **fields, secret=["old", "new"]), resources)).state is State.UP
        assert (await looked(check(site.url, **fields, secret=["new", "old"]), resources)).reason is Reason.HEADER


async def test_a_failure_of_the_processing_is_told_from_one_of_the_signature(resources: Resources) -> None:
    receiver = Receiver("stripe", STRIPE, instead=Answer(500, "relation does not exist"))
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert sample.reason is Reason.STATUS
    assert 'got 500 (it fails while it processes events): "relation does not exist"' in sample.detail
    assert measured(sample, "status") == {"unsigned": 400, "canary": 500}


async def test_the_event_that_is_not_answered_is_named(resources: Resources) -> None:
    """The deadline is one for all events, and what was measured before it counts."""
    async with tcp_peer(first(REFUSAL)) as peer:
        sample = await looked(check(f"http://127.0.0.1:{peer.port}", **CANARY, timeout="1s"), resources)
    assert (sample.reason, sample.detail) == (Reason.TIMEOUT, "no answer to the signed canary within 1 s")
    assert measured(sample, "duration").keys() == {"unsigned"}
    assert measured(sample, "phase").keys() == {"unsigned", "canary"}
    assert peer.seen == 2


async def test_the_event_at_which_the_connection_ends_is_named(resources: Resources) -> None:
    async with tcp_peer(first(REFUSAL, hangs_up)) as peer:
        sample = await looked(check(f"http://127.0.0.1:{peer.port}", **CANARY), resources)
    assert sample.state is State.DOWN
    assert sample.detail.startswith("the signed canary: 127.0.0.1:")
    assert measured(sample, "status") == {"unsigned": 400}


async def test_a_slow_canary_is_said_to_be_slow(resources: Resources) -> None:
    """Whoever reads of a figure that is crossed sees how long each event took."""
    async with listening(Receiver("stripe", STRIPE, delay=0.2)) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    took = measured(sample, "duration")
    assert took["canary"] >= 0.2
    assert re.fullmatch(
        r"Answered: unsigned [\d.]+ m?s, canary [\d.]+ m?s, stale [\d.]+ m?s\.", sample.remarks["duration"]
    )


async def test_what_a_receiver_repeats_of_a_secret_is_not_told(resources: Resources) -> None:
    receiver = Receiver("stripe", STRIPE, instead=Answer(500, f"secret {STRIPE} of no use"))
    async with listening(receiver) as site:
        sample = await looked(check(site.url, **CANARY), resources)
    assert "secret ••• of no use" in sample.detail


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"secret": "hunter2"}, "whsec_ and what follows"),
        ({"secret": ["whsec_fine", "hunter2"]}, "whsec_ and what follows"),
        ({"scheme": "standard-webhooks", "secret": "whsec_hunter2!"}, "key as base64"),
        ({"scheme": "shopify", "secret": "hunter2 "}, "white space"),
        ({"secret": []}, "must not be empty"),
        ({"url": "https://me:hunter2@shop.example.com/hooks"}, "does not belong in the address"),
        ({"url": "shop.example.com/hooks"}, "is not an address"),
        ({"scheme": "strip"}, "is not allowed"),
        ({"scheme": "hmac"}, "scheme: hmac and signature go together"),
        ({"signature": {"header": "X-S"}}, "scheme: hmac and signature go together"),
        ({"unsigned": False}, "no event is sent"),
        ({"scheme": None, "forged": True}, "forged needs a scheme"),
        ({"secret": None, "canary": True}, "canary needs a scheme and the secret"),
        ({"scheme": None, "canary": True}, "canary needs a scheme and the secret"),
        ({"refuses": 200}, "200 accepts an event"),
        ({"refuses": ["100-499"]}, "100-499 accepts an event"),
        ({"refuses": "nothing"}, "is not a status"),
        ({"headers": {"Stripe-Signature": "x"}}, "the header Stripe-Signature is given twice"),
        ({"headers": {"X-A": "hunter2\n"}}, "the value of X-A holds a line break"),
        ({"event": {"type": "two words"}}, "must match pattern"),
        ({"scheme": "hmac", "signature": {"header": "X S"}}, "is not a header name"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "signs": "{timestamp}"}}, "lacks {body}"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "signs": "{body}{when}"}}, "{when} stands for nothing here"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "value": "v1"}}, "lacks {signature}"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "value": "{signature}{body}"}}, "{body} stands for nothing"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "value": "{signature}\n"}}, "holds a line break"),
        ({"scheme": "hmac", "signature": {"header": "X-S", "headers": {"X-T": "{now}"}}}, "{now} stands for nothing"),
    ],
)
def test_a_fault_in_a_file_is_told_without_its_secrets(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    """At load, never later; the library's own errors repeat what they were given."""
    known = {"kind": "webhook", "url": "https://shop.example.com/hooks", "scheme": "stripe", "secret": STRIPE}
    given = {key: value for key, value in {**known, **fields}.items() if value is not None}
    (tmp_path / "monitor.yaml").write_text(json.dumps({"systems": {"shop": {"checks": {"hooks": given}}}}), "utf-8")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, {})
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert str(tmp_path / "monitor.yaml") in str(caught.value)


def loaded(folder: Path, text: str, environ: dict[str, str] | None = None) -> tuple[Config, Plan | None]:
    """Return a configuration with one check, and its plan; without an environment, stand-ins are in its place."""
    (folder / "monitor.yaml").write_text(f"systems: {{shop: {{checks: {{hooks: {{{text}}}}}}}}}", "utf-8")
    config = load(folder, environ or {}, placeholders=environ is None)
    return config, config.plans.get(CHECK)


HOOKS = 'kind: webhook, url: "https://shop.example.com/hooks", scheme: stripe, secret: "${HOOK_SECRET}"'


def test_a_secret_from_the_environment_is_at_fault_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, HOOKS, {"HOOK_SECRET": "hunter2"})
    (fault,) = caught.value.faults
    assert fault.key.endswith("hooks.secret")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["stripe", "standard-webhooks", "shopify"])
def test_a_file_can_be_validated_without_its_secrets(scheme: str, tmp_path: Path) -> None:
    _, plan = loaded(tmp_path, HOOKS.replace("stripe", scheme) + ", canary: true, writes: true")
    assert plan


def test_what_a_check_asks_is_counted(tmp_path: Path) -> None:
    """Each event against a rate limit, and the canary only where it is sent."""
    secret = {"HOOK_SECRET": STRIPE}
    for more, count in [
        ("", 1),
        (", forged: true", 2),
        (", canary: true", 1),
        (", canary: true, writes: true", 3),
        (", canary: true, writes: true, stale: false, unsigned: false", 1),
    ]:
        _, plan = loaded(tmp_path, f"{HOOKS}{more}", secret)
        assert plan
        assert plan.check.asks == (("POST", "https://shop.example.com/hooks"),) * count


def test_a_canary_that_is_not_sent_is_doubtful_and_one_that_is_alone_is_skipped(tmp_path: Path) -> None:
    secret = {"HOOK_SECRET": STRIPE}
    config, plan = loaded(tmp_path, f"{HOOKS}, canary: true", secret)
    assert plan
    assert plan.check.changes == ""
    found = [doubt.message for doubt in doubts(config, read_settings(), {}, START) if doubt.key == str(CHECK)]
    assert "its signed canary is not sent: that needs writes: true" in found
    config, plan = loaded(tmp_path, f"{HOOKS}, canary: true, unsigned: false", secret)
    assert plan is None
    assert "a signed canary event" in config.skipped[0].reason
    config, plan = loaded(tmp_path, f"{HOOKS}, canary: true, writes: true", secret)
    assert plan
    assert plan.check.changes == "a signed canary event"
    assert list(plan.check.doubts()) == []


def test_taken_without_writes_it_changes_nothing(tmp_path: Path) -> None:
    """As `monitor check` takes it that was not asked to write."""
    _, plan = loaded(tmp_path, f"{HOOKS}, canary: true, writes: true", {"HOOK_SECRET": STRIPE})
    assert plan
    assert len(plan.check.asks) == 3
    harmless = plan.check.model_copy(update={"writes": False})
    assert (harmless.changes, len(harmless.asks)) == ("", 1)


def test_explained_it_shows_no_secret(tmp_path: Path) -> None:
    config, plan = loaded(tmp_path, f"{HOOKS}, canary: true, writes: true", {"HOOK_SECRET": STRIPE})
    assert plan
    assert "hunter2" not in explain(plan, config, START)
    assert "hunter2" not in repr(plan)
    assert {secret.reveal() for secret in config.secrets} >= {STRIPE}
