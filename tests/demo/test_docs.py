"""docs/demo.md tells the script as it is. `python -m tests.demo.test_docs` writes its table anew."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.showing import FILE
from monitor.demo.script import FAULTS, SCRIPT
from monitor.demo.stage import HEARTBEAT
from monitor.model import CheckId
from tests.demo.stages import SECOND, watched

if TYPE_CHECKING:
    from datetime import timedelta

PAGE = Path(__file__).parents[2] / "docs/demo.md"
BEGIN = "<!-- This table is made from monitor/demo/script.py: python -m tests.demo.test_docs. -->\n"
END = "<!-- end -->\n"


def table() -> str:
    """Return the ten minutes as a table."""
    rows = ["| when | where | what goes wrong | what there is to see | its name |", "|---|---|---|---|---|"]
    for fault in SCRIPT:
        when = f"{clock(fault.begins)} to {clock(fault.ends)}" if fault.scripted else "by hand"
        rows.append(f"| {when} | {fault.system} | {fault.words} | {fault.sight} | `{fault.name}` |")
    return "\n".join([*rows, ""])


def clock(moment: timedelta) -> str:
    return f"{moment // SECOND // 60}:{moment // SECOND % 60:02}"


def rewritten(page: str) -> str:
    """Return the page with the table of now."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{table()}{END}{rest.partition(END)[2]}"


def test_the_page_tells_the_script_of_now() -> None:
    page = PAGE.read_text("utf-8")
    assert page == rewritten(page), "run python -m tests.demo.test_docs"


async def test_the_page_names_every_kind_and_fault_that_there_is() -> None:
    """With servers and without, and how many checks there are."""
    page = PAGE.read_text("utf-8")
    async with watched() as bare:
        plain = {plan.check.kind for plan in bare.config.plans.values()}
        assert f"for {len(bare.config.plans)} checks" in page
        assert CheckId(*HEARTBEAT.split("/")[-2:]) in bare.config.plans
    kinds = set(re.findall(r"kind: (\w+)", FILE.read_text())) - {"console", "email"} | {"http"}
    first, _, more = page.partition("## Ten minutes")
    assert {kind for kind in kinds if f"`{kind}`" in first} == plain
    assert {kind for kind in kinds if f"`{kind}`" in more} >= kinds - plain
    assert set(re.findall(r"/(?:break|heal)/([\w-]+)", page)) <= set(FAULTS)
    assert set(re.findall(r"`(DEMO_\w+)`", page)) == set(re.findall(r"if_set: (DEMO_\w+)", FILE.read_text()))


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text("utf-8")), "utf-8")
