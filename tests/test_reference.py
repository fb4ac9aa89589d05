"""What is generated is current, and what the documents show as a file is one."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from jsonschema import Draft202012Validator

from monitor.config import load
from monitor.config.kinds import CHANNELS, CHECKS, keys
from monitor.config.yaml_file import read
from monitor.reference import SHORTEST, reference
from monitor.schema import schema
from monitor.settings import variables
from monitor.trial.schema import schema as trial_schema
from monitor.web.api.document import written

if TYPE_CHECKING:
    from monitor.config.yaml_file import Document
    from monitor.faults import Fault

ROOT = Path(__file__).parent.parent
SCHEMA = Draft202012Validator(schema())
SHIPPED = [*sorted((ROOT / "config").glob("*.yaml")), *sorted((ROOT / "config/systems").glob("*.yaml"))]
SHIPPED += sorted((ROOT / "monitor").rglob("*.yaml"))
EXAMPLES = [
    (f"{page.name}-{index}", example)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    for index, example in enumerate(
        re.findall(r"^```yaml\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    )
]
TLS = {"kind": "tls", "host": "shop.example.com"}
PAGE, FILE = ROOT / "docs/configuration.md", ROOT / "docs/schema.json"
TRIALS = ROOT / "docs/schema-tests.json"
OPENAPI = ROOT / "docs/openapi.json"
HOW = "run python -m tests.test_reference"


def document(path: Path) -> Document:
    faults: list[Fault] = []
    found = read(path, faults)
    assert found is not None, faults
    return found


def with_check(check: object) -> dict[str, object]:
    return {"system": "shop", "checks": {"site": check}}


def test_the_reference_page_is_current() -> None:
    assert PAGE.read_text("utf-8") == reference(), HOW


def test_the_schema_is_current() -> None:
    assert json.loads(FILE.read_text("utf-8")) == schema(), HOW
    assert json.loads(TRIALS.read_text("utf-8")) == trial_schema(), HOW


def test_the_document_of_the_api_is_current() -> None:
    assert OPENAPI.read_bytes() == written(), HOW


def test_the_page_tells_of_every_key_every_kind_and_every_variable() -> None:
    page = reference()
    for kinds in (CHECKS.all(), CHANNELS.all()):
        for name, kind in kinds.items():
            assert f"`{name}`" in page
            assert all(f"| `{key}` |" in page for key in keys(kind) if key != "kind")
    for kind in CHECKS.all().values():
        assert all(f"| `{measure.name}` |" in page for measure in kind.measures)
        assert all(f"`{reason}`" in page for reason in kind.reasons)
    assert all(f"| `{name}` |" in page for name in variables())


def test_every_key_has_a_description() -> None:
    """Each row of the page's tables ends with words."""
    rows = re.findall(r"^\| `.*$", reference(), re.MULTILINE)
    assert len(rows) > 80
    undescribed = [row for row in rows if row.rstrip(" |").endswith(("|", "| `"))]
    assert not undescribed


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(schema())
    Draft202012Validator.check_schema(trial_schema())


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_schema_takes_every_file_that_is_shipped(path: Path) -> None:
    assert not [error.message for error in SCHEMA.iter_errors(document(path).data)]


@pytest.mark.parametrize("path", sorted((ROOT / "config/tests").glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_of_tests_takes_every_file_that_is_shipped(path: Path) -> None:
    assert not [error.message for error in Draft202012Validator(trial_schema()).iter_errors(document(path).data)]


@pytest.mark.parametrize("example", [text for _, text in EXAMPLES], ids=[name for name, _ in EXAMPLES])
def test_every_example_in_the_documents_loads(tmp_path: Path, example: str) -> None:
    """An example of the main file alone is tried with a system to watch."""
    main, shop = tmp_path / "monitor.yaml", tmp_path / "shop.yaml"
    main.write_text(example, "utf-8")
    if not {"system", "systems"} & document(main).data.keys():
        shop.write_text("system: shop\nchecks: {site: tls://shop.example.com}\n", "utf-8")
    assert load(tmp_path, {}, placeholders=True).plans
    assert not [error.message for error in SCHEMA.iter_errors(document(main).data)]


def test_there_are_examples() -> None:
    assert any(text == SHORTEST for _, text in EXAMPLES)


@pytest.mark.parametrize(
    "data",
    [
        with_check("https://shop.example.com/"),
        with_check({"url": "https://shop.example.com/"}),
        with_check({**TLS, "port": "${PORT}", "up": "${UP:-2}"}),
        with_check({**TLS, "remedy": ["Look.", {"do": "Act."}], "remedy_for": {"dns": "Ask."}}),
        with_check({**TLS, "thresholds": [{"watch": "expiry", "warning": "< 21d", "for": {"warning": "1h"}}]}),
        {"systems": {"shop": {"checks": {"site": "tls://shop.example.com"}, "defaults": {"every": "10s"}}}},
        {"channels": {"ops": "${SLACK_WEBHOOK_URL}"}, "routes": [{"notify": "ops", "severity": "critical"}]},
    ],
)
def test_the_schema_takes_short_forms_and_variables(data: object) -> None:
    assert not [error.message for error in SCHEMA.iter_errors(data)]


@pytest.mark.parametrize(
    "data",
    [
        [],
        {"system": "shop"},
        {"system": "shop", "checks": {}, "colour": "red"},
        {"system": "shop", "checks": {"Site One": "tls://shop.example.com"}},
        {"system": "shop", "checks": {"site": "tls://shop.example.com"}, "defaults": {"evry": "10s"}},
        with_check(["https://shop.example.com/"]),
        with_check({**TLS, "kind": "tsl"}),
        with_check({**TLS, "evry": "10s"}),
        with_check({**TLS, "port": "many"}),
        with_check({**TLS, "port": 70_000}),
        with_check({"kind": "tls"}),
        with_check({"host": "shop.example.com"}),
        with_check({**TLS, "thresholds": [{"warning": "< 21d"}]}),
        with_check({**TLS, "remedy_for": {"dnss": "Ask."}}),
        {"routes": [{"severity": "critical"}]},
        {"routes": [{"notify": []}]},
        {"routes": [{"notify": "ops", "severity": "bad"}]},
        {"channels": {"ops": {"kind": "slack"}}},
        {"limits": {"in_flight": 0}},
    ],
)
def test_the_schema_refuses_what_is_broken(data: object) -> None:
    assert list(SCHEMA.iter_errors(data))


def test_the_example_of_the_main_file_is_without_a_fault(tmp_path: Path) -> None:
    """With the variables that it names, and with none of them."""
    (tmp_path / "monitor.yaml").write_text((ROOT / "config/monitor.yaml").read_text("utf-8"), "utf-8")
    for system in ("capliquify", "tatame"):
        text = f"system: {system}\nchecks: {{site: tls://{system}.example.com}}\n"
        (tmp_path / f"{system}.yaml").write_text(text, "utf-8")
    environ = {
        "SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T00/B00/x",
        "ONCALL_EMAIL": "oncall@example.com",
        "SMTP_URL": "smtp://me:hunter2@mail.example.com:587",
        "TWILIO_ACCOUNT_SID": f"AC{0:032}",
        "TWILIO_AUTH_TOKEN": "hunter2",
        "TWILIO_FROM": "+15005550006",
        "ONCALL_PHONE": "+15005550010",
        "HOOK_URL": "https://hook.example.com/",
        "ESCALATION_EMAIL": "lead@example.com",
        "CAPLIQUIFY_SLACK_WEBHOOK_URL": "https://hooks.slack.com/services/T00/B01/x",
    }
    own = {"CAPLIQUIFY_DB_ADMIN", "CAPLIQUIFY_DEVOPS", "CAPLIQUIFY_CTO", "CAPLIQUIFY_ZONE", "ONCALL_ZONE"}
    channels = ["ops", "oncall", "sms", "lead", "capliquify", "db-admin", "devops", "cto", "hook"]
    config = load(tmp_path, environ)
    assert list(config.channels) == channels
    assert config.variables == environ.keys() | own
    assert [skip.name for skip in load(tmp_path, {}).skipped] == channels


if __name__ == "__main__":
    PAGE.write_text(reference(), "utf-8")
    FILE.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    TRIALS.write_text(json.dumps(trial_schema(), indent=2, ensure_ascii=False) + "\n", "utf-8")
    OPENAPI.write_bytes(written())
