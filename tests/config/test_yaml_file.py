import math
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.yaml_file import LARGEST, Document, core, read
from monitor.faults import Fault


def read_text(folder: Path, text: str | bytes) -> tuple[Document | None, list[Fault]]:
    file = folder / "file.yaml"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    faults: list[Fault] = []
    return read(file, faults), faults


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("12", 12),
        ("-3", -3),
        ("012", 12),
        ("0o17", 15),
        ("0xff", 255),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        (".5", 0.5),
        ("-.inf", -math.inf),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-05", "2026-01-05"),
        ("1.2.3", "1.2.3"),
        ("9" * 400, "9" * 400),
        ("1e999", "1e999"),
        ("30s", "30s"),
    ],
)
def test_plain_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    """`no` is a word, a date and a clock time are texts."""
    assert core(text) == value
    assert type(core(text)) is type(value)


def test_not_a_number_is_read() -> None:
    assert math.isnan(core(".nan"))


def test_values_know_where_they_stand(tmp_path: Path) -> None:
    """A key's place is that of the key, an item's that of the item, and unknown paths fall back to what is around."""
    document, faults = read_text(tmp_path, "system: shop\nchecks:\n  site: {port: 80}\n  tags: [a,\n    b]\n")
    assert document is not None
    assert not faults
    assert document.data == {"system": "shop", "checks": {"site": {"port": 80}, "tags": ["a", "b"]}}
    assert document.place(("checks", "site")) == (3, 3)
    assert document.place(("checks", "site", "port")) == (3, 10)
    assert document.place(("checks", "tags", 1)) == (5, 5)
    assert document.place(("checks", "site", "host", "name")) == (3, 3)
    assert document.place(("nowhere",)) == (1, 1)


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (("checks", "site", "thresholds", 0, "warning"), "shop/site.thresholds[0].warning"),
        (("checks",), "shop.checks"),
        (("title",), "shop.title"),
        (("systems", "shed", "checks", "door", "every"), "shed/door.every"),
        (("systems", "shed", "title"), "shed.title"),
        (("systems",), "shop.systems"),
        ((), "shop"),
    ],
)
def test_keys_are_named_as_people_do(path: tuple[str | int, ...], key: str) -> None:
    assert Document("file.yaml", {"system": "shop"}).key(path) == key


def test_quoted_texts_stay_texts_and_bom_and_crlf_do_no_harm(tmp_path: Path) -> None:
    document, faults = read_text(tmp_path, b"\xef\xbb\xbfa: \"12\"\r\nb: 'no'\r\nc: |\r\n  12\r\n")
    assert document is not None
    assert not faults
    assert document.data == {"a": "12", "b": "no", "c": "12\n"}
    assert document.styles == {("a",): '"', ("b",): "'", ("c",): "|"}


def test_aliases_are_copies_that_point_to_the_original(tmp_path: Path) -> None:
    document, faults = read_text(tmp_path, "a: &a {x: '1', y: [2]}\nb: *a\n")
    assert document is not None
    assert not faults
    assert document.data["b"] == {"x": "1", "y": [2]}
    assert document.data["b"] is not document.data["a"]
    assert document.place(("b", "y", 0)) == (1, 20)
    assert ("b", "x") in document.styles


def test_a_large_file_is_refused_without_being_parsed(tmp_path: Path) -> None:
    """10 MB of what would take minutes to parse are refused at once."""
    started = time.process_time()
    document, faults = read_text(tmp_path, b"- [{" * 2_500_000)
    assert document is None
    assert [fault.message for fault in faults] == ["is larger than 1 MiB"]
    assert time.process_time() - started < 5


def test_the_largest_file_is_read(tmp_path: Path) -> None:
    document, faults = read_text(tmp_path, "a: '" + "x" * (LARGEST - 5) + "'")
    assert not faults
    assert document is not None


def test_an_alias_bomb_is_a_fault(tmp_path: Path) -> None:
    """Ten levels of ten aliases each would be ten thousand million values."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    document, faults = read_text(tmp_path, "\n".join(levels))
    assert document is None
    assert "holds more than 200,000 values once its aliases are expanded" in faults[0].message
    assert faults[0].line == 6


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_a_deeply_nested_file_is_a_fault(tmp_path: Path, opening: str) -> None:
    document, faults = read_text(tmp_path, "top:\n  " + opening * 100_000)
    assert document is None
    assert [fault.message for fault in faults] == ["is nested more than 30 levels deep"]


def test_a_file_that_is_not_utf_8_names_line_and_column(tmp_path: Path) -> None:
    document, faults = read_text(tmp_path, "system: shop\ntitle: Bäckerei\n".encode("latin-1"))
    assert document is None
    assert str(faults[0]) == f"{tmp_path / 'file.yaml'}:2: is not UTF-8; save it as UTF-8"
    assert faults[0].column == 9


def test_utf_16_is_not_utf_8(tmp_path: Path) -> None:
    assert read_text(tmp_path, "system: shop\n".encode("utf-16"))[1][0].message == "is not UTF-8"


def test_a_file_that_is_missing_is_a_fault(tmp_path: Path) -> None:
    faults: list[Fault] = []
    assert read(tmp_path / "none.yaml", faults) is None
    assert faults[0].message == "cannot be read: No such file or directory"


def test_a_folder_or_a_device_is_no_file(tmp_path: Path) -> None:
    """Reading a pipe or a device would never end."""
    for path in (tmp_path, Path("/dev/zero")):
        faults: list[Fault] = []
        assert read(path, faults) is None
        assert faults[0].message == "is not a file"


def test_a_parser_that_trips_over_its_input_is_a_fault(tmp_path: Path) -> None:
    """ruamel.yaml asserts that a file's version is 1.1 or 1.2: found by feeding it half a million odd texts."""
    document, faults = read_text(tmp_path, "%YAML 1.11\n---\na: b\n")
    assert document is None
    assert [fault.message for fault in faults] == ["cannot be read as YAML (AssertionError)"]


PIECES = [*"a\n[]{},'\">|#\t~%@\0\u2028", ": ", "  ", "- ", "&a ", "*a", "!!str ", "? ", "---\n", "...\n"]
PIECES += ["%YAML 1.1\n", "<<: ", "\\x", "${A}", "1", "!= 5"]
TEXT = st.one_of(
    st.text(),
    st.binary(),
    st.lists(
        st.sampled_from(PIECES),
        max_size=40,
    ).map("".join),
)


@given(TEXT)
def test_whatever_the_bytes_are_the_answer_is_a_document_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, text: str | bytes
) -> None:
    """Nothing that a file can hold raises anything, and what is no document has a fault."""
    if isinstance(text, str):
        text = text.encode("utf-8", "surrogatepass")
    document, faults = read_text(tmp_path_factory.getbasetemp(), text)
    assert document is not None or faults
    assert all("\n" not in str(fault) for fault in faults)
