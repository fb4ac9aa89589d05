"""Steps that answer themselves: what they run is another check, one of its measures, or one of another system."""

from pathlib import Path

import pytest

from monitor.config import Config, load
from monitor.explain import explain
from monitor.kinship import HOST, PLATFORM, REGION, VENDOR
from monitor.model import CheckId, Reason
from monitor.plan import Question
from monitor.units import Unit
from tests.fakes import START

SITE, DATABASE, DOOR = CheckId("shop", "site"), CheckId("shop", "database"), CheckId("shed", "door")
FILE = """
channels: {ops: "https://hook.example.com/"}
systems:
  shop:
    checks:
      site:
        kind: http
        url: https://shop.onrender.com/
        remedy: [Look., {do: See who holds them., run: database/phase}, {do: See the database., run: database}]
        remedy_for: {dns: [{do: See the door., run: shed/door}, {do: See whether it opens., run: shed/door/duration}]}
        thresholds: [{watch: duration, critical: "> 1s", remedy: [{do: See ourselves., run: site/duration}]}]
      database: {kind: tcp, host: db.example.com, port: 5432, if_set: DATABASE}
  shed:
    checks: {door: {kind: tcp, host: shed.example.com, port: 1}}
"""
QUESTIONS = {
    "See who holds them.": Question(DATABASE, "phase", Unit.SECONDS),
    "See the database.": Question(DATABASE),
    "See the door.": Question(DOOR),
    "See whether it opens.": Question(DOOR, "duration", Unit.SECONDS),
    "See ourselves.": Question(SITE, "duration", Unit.SECONDS),
}


def loaded(folder: Path, text: str = FILE, *systems: str, **environ: str) -> Config:
    file = folder / "monitor.yaml"
    file.write_text(text)
    return load(file, environ, systems)


def test_a_step_names_a_check_a_measure_or_another_system(tmp_path: Path) -> None:
    plan = loaded(tmp_path, DATABASE="1").plans[SITE]
    assert plan.questions == QUESTIONS
    assert plan.remedy == ("Look.", "See who holds them.", "See the database.")
    assert plan.remedy_for[Reason.DNS] == ("See the door.", "See whether it opens.")


def test_what_is_not_watched_is_asked_nothing(tmp_path: Path) -> None:
    """A check that is skipped, a system that was not chosen: the step stays, and tells nothing by itself."""
    plan = loaded(tmp_path, FILE, "shop").plans[SITE]
    assert plan.questions == {"See ourselves.": QUESTIONS["See ourselves."]}
    assert "See the database." in plan.remedy


def test_a_check_of_the_own_system_comes_before_another_system(tmp_path: Path) -> None:
    text = FILE.replace("database:", "shed:").replace("run: database", "run: shed").replace("shed/door", "shed/phase")
    text = text.replace("shed/phase/duration", "shed/door/duration")
    plan = loaded(tmp_path, text, DATABASE="1").plans[SITE]
    assert plan.questions["See the door."] == Question(CheckId("shop", "shed"), "phase", Unit.SECONDS)
    assert plan.questions["See whether it opens."].check == DOOR


def test_explain_tells_what_is_run(tmp_path: Path) -> None:
    config = loaded(tmp_path, DATABASE="1")
    said = explain(config.plans[SITE], config, START)
    assert "runs shop/database, and tells its phase: See who holds them." in said
    assert "runs shed/door: See the door." in said


def test_a_plan_knows_its_kin_and_tells_nothing_secret(tmp_path: Path) -> None:
    """A host that a variable holds is named where its name says that it may be."""
    text = FILE.replace("db.example.com", "'${KEY}'").replace(
        "shed.example.com", "'ep-1.eu-central-1.aws.${SHED_HOST}'"
    )
    plans = loaded(tmp_path, text, DATABASE="1", KEY="hunter2.onrender.com", SHED_HOST="neon.tech").plans
    assert plans[SITE].kin == ((HOST, "shop.onrender.com"), (PLATFORM, "Render"))
    assert plans[DATABASE].kin == ((PLATFORM, "Render"),)
    assert plans[DOOR].kin == (
        (HOST, "ep-1.eu-central-1.aws.neon.tech"),
        (PLATFORM, "Neon"),
        (REGION, "AWS eu-central-1"),
    )


@pytest.mark.parametrize(
    ("check", "vendor"),
    [
        ("{kind: status, vendor: render}", "Render"),
        ("{kind: status, url: 'https://status.example.com', format: statuspage}", "status.example.com"),
        ("{kind: sentry, token: t0ken, org: shop}", "Sentry"),
    ],
)
def test_a_check_that_asks_a_vendor_names_it(tmp_path: Path, check: str, vendor: str) -> None:
    text = f'channels: {{ops: "https://hook.example.com/"}}\nsystems: {{shop: {{checks: {{one: {check}}}}}}}\n'
    assert (VENDOR, vendor) in loaded(tmp_path, text).plans[CheckId("shop", "one")].kin
