"""Every file in `broken/` breaks one rule, and says at its end what must be told; `…` stands for whatever follows."""

from pathlib import Path

import pytest

from monitor.config import load
from monitor.faults import ConfigError

BROKEN = sorted((Path(__file__).parent / "broken").glob("*.yaml"))
EXPECT = "# expect: "
HIDDEN = "hunter2"


def expected(file: Path) -> list[str]:
    lines = file.read_text("utf-8").splitlines()
    return [line.removeprefix(EXPECT) for line in lines if line.startswith(EXPECT)]


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_says_exactly_what_is_wrong_and_where(file: Path) -> None:
    """Each fault is told in its own line, with the number of its line in the file, and nothing else is."""
    with pytest.raises(ConfigError) as caught:
        load(file, {"HIDDEN": HIDDEN})
    told = [line.removeprefix(f"{file}:").strip() for line in str(caught.value).splitlines()]
    wanted = expected(file)
    assert len(told) == len(wanted), told
    for line, want in zip(told, wanted, strict=True):
        assert line.startswith(want.removesuffix("…")) if want.endswith("…") else line == want


@pytest.mark.parametrize("file", BROKEN, ids=lambda file: file.stem)
def test_names_the_place_and_no_secret(file: Path) -> None:
    """A fault points at an existing line and column, and never shows what a variable holds."""
    with pytest.raises(ConfigError) as caught:
        load(file, {"HIDDEN": HIDDEN})
    lines = file.read_text("utf-8").splitlines()
    for fault in caught.value.faults:
        assert fault.file == str(file)
        assert 0 <= fault.line <= len(lines) + 1
        assert fault.column <= len([*lines, ""][fault.line - 1]) + 1
        assert HIDDEN not in str(fault)


def test_one_file_per_rule_has_an_expectation() -> None:
    """No file of the corpus is there for nothing."""
    assert len(BROKEN) >= 70
    assert all(expected(file) for file in BROKEN)
