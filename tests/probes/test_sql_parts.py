"""What of the kind sql decides without a database: the text of a query, the values of a row, series, expectations."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.databases.answer import LONGEST_NUMBER, LONGEST_TEXT, Answer, Column, Sort, Value, read_value, wrapped
from monitor.databases.statement import one_statement
from monitor.model import Failure, Reason, State
from monitor.probes.base import ThresholdFields
from monitor.probes.sql import SqlCheck
from monitor.probes.sql.expect import Rows, judge, shown
from monitor.probes.sql.series import GUESSES, Measured, guessed, selected, series, watches
from monitor.units import COUNTED, Unit

NUMBER, TEXT = Column("n", "int4", Sort.NUMBER), Column("state", "text", Sort.TEXT)
DSN = "postgresql://monitor:hunter2@db.test/shop"


def made(**fields: object) -> SqlCheck:
    return SqlCheck.model_validate({"dsn": DSN, "query": "select 1 as n", **fields})


def rows_of(*rows: dict[str, Any], more: bool = False, at: float = 0.0) -> Answer:
    """Return an answer whose values are shown as given, and are numbers where they are."""
    columns = [
        Column(name, "", Sort.NUMBER if isinstance(value, int | float) else Sort.TEXT)
        for name, value in (rows[0] if rows else {}).items()
    ]
    values = [
        {name: Value(value, float(value) if isinstance(value, int | float) else None) for name, value in row.items()}
        for row in rows
    ]
    return Answer(columns, values, more, at)


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        ("select 1", "select 1"),
        ("  SELECT 1 ; ;\n", "SELECT 1"),
        ("select 1 -- all of it", "select 1"),
        ("select 1; -- all of it", "select 1"),
        ("select 1 /* a; b /* c; */ d */ ;", "select 1"),
        ("-- first\nselect 1", "select 1"),
        ("select ';' , $$;$$, $a$ $$; $a$, \";\", E'\\';', 'it''s;'", None),
        ("select a$b$c from t where d = '--'", None),
        ("(select 1) union select 2", None),
        ("with x as (select 1) table x", None),
        ("values (1), (2)", None),
        ("select e'\\\\' ; -- ' ;", "select e'\\\\'"),
        ("select 'ü', \"é;\", $é$;$é$", None),
    ],
)
def test_a_query_is_one_statement_without_what_stands_around_it(text: str, statement: str | None) -> None:
    assert one_statement(text) == (text if statement is None else statement)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "empty"),
        (" ; -- nothing", "empty"),
        ("select 1; select 2", "more than one"),
        ("; select 1", "more than one"),
        ("insert into t values (1)", "does not read rows: it begins with one of select with values table ("),
        ("explain select 1", "does not read rows"),
        ("show all", "does not read rows"),
        ("selectx", "does not read rows"),
        ("select 'a", "a quotation in the query has no end"),
        ('select "a', "a quotation in the query has no end"),
        ("select 1 /* a /* b */", "a comment in the query has no end"),
        ("select '\0'", "no database takes"),
        ("select '\ud800'", "no database takes"),
    ],
)
def test_what_is_no_query_is_refused_when_the_file_is_read(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=r"^(the query|a )") as caught:
        one_statement(text)
    assert fault in str(caught.value)


@given(st.text(alphabet="abc $'\";-/*\n(eE1", max_size=40))
def test_reading_a_text_ends_whatever_it_is_and_twice_is_as_once(text: str) -> None:
    try:
        statement = one_statement(f"select {text}")
    except ValueError:
        return
    assert one_statement(statement) == statement
    assert statement in f"select {text}"
    assert not statement.endswith(";")


def test_the_query_stands_in_one_of_ours_on_lines_of_its_own() -> None:
    """So a comment at its end comments nothing of ours, and names of its columns, however odd, are not repeated."""
    columns = [
        NUMBER,
        Column('o"dd', "timestamp", Sort.MOMENT),
        Column("blob", "bytea", Sort.OTHER),
        Column("price", "money", Sort.NUMBER),
        Column("ok", "bool", Sort.TRUTH),
        Column("took", "interval", Sort.SPAN),
        Column("unseen", "text", Sort.TEXT),
    ]
    wanted = {column.name for column in columns} - {"unseen"}
    assert wrapped("table t", columns, wanted, 3) == (
        "SELECT extract(epoch FROM statement_timestamp())::text, left(c0::text, 400), extract(epoch FROM c1)::text,"
        " left(substring(c2 FROM 1 FOR 500)::text, 501), left(c3::numeric::text, 400), c4::text,"
        " extract(epoch FROM c5)::text, c6 IS NULL FROM (\ntable t\n) AS answer (c0, c1, c2, c3, c4, c5, c6) LIMIT 3"
    )
    assert wrapped("select", [], set(), 1).endswith(") AS answer LIMIT 1")


@pytest.mark.parametrize(
    ("sort", "text", "value"),
    [
        (Sort.NUMBER, "42", (42, 42.0)),
        (Sort.NUMBER, "-9007199254740993", (-9007199254740993, -9007199254740992.0)),
        (Sort.NUMBER, "42.00", (42.0, 42.0)),
        (Sort.NUMBER, "1e-07", (1e-07, 1e-07)),
        (Sort.NUMBER, "NaN", ("NaN", None)),
        (Sort.NUMBER, "-Infinity", ("-Infinity", -math.inf)),
        (Sort.TRUTH, "true", (True, 1.0)),
        (Sort.TRUTH, "false", (False, 0.0)),
        (Sort.MOMENT, "0", ("1970-01-01T00:00:00Z", 0.0)),
        (Sort.MOMENT, "1795294393.5", ("2026-11-21T20:53:13.500000Z", 1795294393.5)),
        (Sort.MOMENT, "Infinity", ("inf", math.inf)),
        (Sort.MOMENT, "-210866803200", ("-210866803200.0", -210866803200.0)),  # 4713 BC
        (Sort.SPAN, "90.500000", (90.5, 90.5)),
        (Sort.TEXT, "open", ("open", None)),
        (Sort.OTHER, "{1,2}", ("{1,2}", None)),
    ],
)
def test_a_value_is_read_by_the_type_of_its_column(sort: Sort, text: str, value: tuple[Any, float | None]) -> None:
    assert read_value(Column("x", "", sort), text) == value
    assert read_value(Column("x", "", sort), None) == (None, None)


def test_a_number_that_was_cut_is_infinite_and_a_text_that_was_cut_says_so() -> None:
    assert read_value(NUMBER, "9" * LONGEST_NUMBER).number == math.inf
    assert read_value(NUMBER, f"1.{'1' * (LONGEST_NUMBER - 2)}").number == pytest.approx(1.1111111)
    assert read_value(TEXT, "x" * LONGEST_TEXT).shown == "x" * LONGEST_TEXT
    assert read_value(TEXT, "x" * (LONGEST_TEXT + 1)).shown == "x" * LONGEST_TEXT + "…"


@given(st.integers(-(10**350), 10**350) | st.decimals(allow_nan=False, allow_infinity=False))
def test_every_number_is_read_without_a_crash(number: object) -> None:
    value = read_value(NUMBER, str(number)[:LONGEST_NUMBER])
    assert value.number is not None
    assert isinstance(value.shown, str) == math.isinf(value.number)


@pytest.mark.parametrize(
    ("unit", "sort", "found", "value"),
    [
        ("number", Sort.NUMBER, 7.0, 7.0),
        ("ms", Sort.NUMBER, 1500.0, 1.5),
        ("%", Sort.NUMBER, 80.0, 0.8),
        ("MB", Sort.NUMBER, 2.0, 2e6),
        ("timestamp", Sort.NUMBER, 90.0, 90.0),
        ("number", Sort.TRUTH, 1.0, 1.0),
        ("timestamp", Sort.MOMENT, 90.0, 90.0),
        ("age", Sort.MOMENT, 90.0, 10.0),
        ("age", Sort.MOMENT, math.inf, -math.inf),
        ("seconds", Sort.SPAN, 90.0, 90.0),
        ("ms", Sort.SPAN, 90.0, 90.0),  # an interval knows how long it is
        ("number", Sort.SPAN, 90.0, 90.0),
    ],
)
def test_a_column_is_measured_in_base_units(unit: str, sort: Sort, found: float, value: float) -> None:
    measured = Measured(unit=unit)
    assert measured.fits(sort)
    assert measured.value(Value(None, found), Column("x", "", sort), 100.0) == pytest.approx(value)
    assert measured.value(Value(None), Column("x", "", sort), 100.0) is None


@pytest.mark.parametrize(
    ("unit", "sort"),
    [
        ("age", Sort.NUMBER),
        ("seconds", Sort.TRUTH),
        ("seconds", Sort.MOMENT),
        ("number", Sort.MOMENT),
        ("age", Sort.SPAN),
        ("bytes", Sort.SPAN),
        ("number", Sort.TEXT),
        ("number", Sort.OTHER),
    ],
)
def test_a_unit_that_does_not_fit_the_type_is_known(unit: str, sort: Sort) -> None:
    assert not Measured(unit=unit).fits(sort)


@given(st.sampled_from([*COUNTED, "age"]), st.floats(allow_nan=False), st.sampled_from(list(Sort)))
def test_a_measure_is_a_number_whatever_the_unit(unit: str, number: float, sort: Sort) -> None:
    measured = Measured(unit=unit)
    if measured.fits(sort):
        value = measured.value(Value(None, number), Column("x", "", sort), 1.8e9)
        assert value is not None
        assert not math.isnan(value)


@pytest.mark.parametrize(
    ("figures", "unit"),
    [
        ({"warning": "> 10"}, "number"),
        ({"warning": "> 0"}, "number"),
        ({"warning": "> 80%", "critical": "> 90%"}, "ratio"),
        ({"warning": "> 0", "critical": "> 5m"}, "seconds"),
        ({"target": "< 5m"}, "seconds"),
        ({"critical": "> 1GB"}, "bytes"),
        ({"critical": "> 1 parsec"}, "number"),  # planning says what is wrong with it
    ],
)
def test_the_unit_of_a_column_follows_from_the_figures(figures: dict[str, str], unit: str) -> None:
    looks = list(watches([ThresholdFields.model_validate({"watch": "max(n, 5m)", **figures})]))
    assert guessed(looks, ()) == {"n": Measured(unit=unit)}
    assert unit in GUESSES


def test_a_rate_and_a_change_do_not_mislead_the_guess() -> None:
    texts = [("rate(n, 5m)", "> 3/s"), ("change(n, 5m)", "> 20%"), ("n", "> 7"), ("rows", "> 1"), ("no good(", "> 1")]
    looks = list(watches(ThresholdFields.model_validate({"watch": watch, "info": text}) for watch, text in texts))
    assert guessed(looks, {"rows"}) == {"n": Measured(unit="number")}


def test_a_row_is_a_series() -> None:
    answer = rows_of({"state": "open", "n": 3, "shop": 1}, {"state": None, "n": 4, "shop": None})
    found = list(series({"n": Measured(name="jobs")}, ["state", "shop"], answer, str))
    assert [(measure.name, measure.value, dict(measure.labels)) for measure in found] == [
        ("jobs", 3, {"state": "open", "shop": "1"}),
        ("jobs", 4, {"state": "", "shop": ""}),
    ]


def test_a_null_is_no_measure() -> None:
    answer = rows_of({"n": 3, "m": 1}, more=False)
    empty = Answer(answer.columns, [{"n": Value(None), "m": Value(1, 1.0)}])
    assert [measure.name for measure in series({"n": Measured(), "m": Measured()}, [], empty, str)] == ["m"]


def test_a_label_is_short_clean_and_without_secrets() -> None:
    answer = rows_of({"state": f"a\n\x1b[31mb hunter2 {'x' * 200}", "n": 1})
    (measure,) = series({"n": Measured()}, ["state"], answer, lambda text: text.replace("hunter2", "•••"))
    ((_, text),) = measure.labels
    assert text.startswith("a b ••• xxx")
    assert len(text) == 100


@pytest.mark.parametrize(
    ("names", "said"),
    [(["state"], "rows 1 and 3 have the same state"), ([], "rows 1 and 2 have no label to tell them apart")],
)
def test_two_rows_that_would_be_one_series_are_a_fault_of_the_query(names: list[str], said: str) -> None:
    answer = rows_of({"state": "a", "n": 1}, {"state": "b", "n": 1}, {"state": "a", "n": 1})
    with pytest.raises(Failure, match=said) as caught:
        list(series({"n": Measured()}, names, answer, str))
    assert caught.value.state is State.UNKNOWN
    assert "'a'" not in caught.value.detail


VERSION = {"rows": 1, "values": {"version_num": "005"}}
ANSWERS = [
    ({}, rows_of(), None),
    ({"rows": 0}, rows_of(), None),
    ({"rows": 0}, rows_of({"a": 1}), (Reason.BODY, "expected rows to be 0, got 1")),
    ({"rows": 1}, rows_of(), (Reason.MISSING, "expected rows to be 1, got 0")),
    ({"rows": "> 0"}, rows_of(), (Reason.MISSING, "expected rows > 0, got 0")),
    ({"rows": "> 0"}, rows_of({"a": 1}, more=True), None),
    ({"rows": 0}, rows_of({"a": 1}, more=True), (Reason.BODY, "expected rows to be 0, got more than 1")),
    (VERSION, rows_of({"version_num": "005"}), None),
    (VERSION, rows_of({"version_num": "004"}), (Reason.BODY, 'expected version_num to be "005", got "004"')),
    (VERSION, rows_of(), (Reason.MISSING, "expected rows to be 1, got 0")),
    (VERSION, rows_of(*[{"version_num": "005"}] * 2), (Reason.BODY, "expected rows to be 1, got 2")),
    ({"values": {"a": 1}}, rows_of(), (Reason.MISSING, "expected a to be 1, got no row")),
    ({"values": {"a": 1}, "rows": "< 2"}, rows_of(), None),
    ({"values": {"a": "> 1"}}, rows_of({"a": 2}, {"a": 1}), (Reason.BODY, "expected a > 1, got 1 in row 2")),
    ({"values": {"a": "> 1"}}, rows_of({"a": None}), (Reason.BODY, "expected a > 1, got null")),
    ({"equal": ["a", "b"]}, rows_of({"a": 2, "b": 2}), None),
    ({"equal": ["a", "b"]}, rows_of({"a": 12, "b": 11}), (Reason.BODY, "expected a and b to be equal, got 12 and 11")),
    ({"equal": ["a", "b"]}, rows_of(), (Reason.MISSING, "expected a and b to be equal, got no row")),
    ({"equal": ["a", "b"], "rows": "< 2"}, rows_of(), None),
    ({"contains": {"a": ["x", "y"]}}, rows_of({"a": "y"}, {"a": "z"}, {"a": "x"}), None),
    ({"contains": {"a": ["x", "y", "z"]}}, rows_of({"a": "y"}), (Reason.MISSING, 'missing in a: "x", "z"')),
    ({"contains": {"a": 1}}, rows_of({"a": True}), (Reason.MISSING, "missing in a: 1")),
    ({"contains": {"a": 1}}, rows_of(), (Reason.MISSING, "missing in a: 1")),
    ({"json": {"length(@)": 0}}, rows_of(), None),
    ({"json": {"sum([].a)": "> 3"}}, rows_of({"a": 1}, {"a": 2}), (Reason.BODY, "expected sum([].a) > 3, got 3")),
]


@pytest.mark.parametrize(("expect", "answer", "fault"), ANSWERS)
def test_what_is_expected_of_rows(expect: dict[str, Any], answer: Answer, fault: tuple[Reason, str] | None) -> None:
    if fault is None:
        judge(Rows.model_validate(expect), answer, str)
        return
    with pytest.raises(Failure) as caught:
        judge(Rows.model_validate(expect), answer, str)
    assert (caught.value.reason, caught.value.detail) == fault
    assert caught.value.state is State.DOWN


@pytest.mark.parametrize(
    "expect", [{"values": {"a": 1}}, {"equal": ["a", "a"]}, {"contains": {"a": 1}}, {"json": {"[0].a": 1}}]
)
def test_what_depends_on_rows_that_were_left_out_is_unknown(expect: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="more than 1 rows") as caught:
        judge(Rows.model_validate(expect), rows_of({"a": 1}, more=True), str)
    assert caught.value.state is State.UNKNOWN


def test_a_row_that_is_wrong_is_down_although_others_were_left_out() -> None:
    with pytest.raises(Failure, match="expected a to be 1, got 2") as caught:
        judge(Rows.model_validate({"values": {"a": 1}}), rows_of({"a": 2}, more=True), str)
    assert caught.value.state is State.DOWN


def test_secrets_go_before_a_value_is_cut() -> None:
    answer = rows_of({"a": f"{'x' * 95}hunter2"})
    with pytest.raises(Failure) as caught:
        judge(Rows.model_validate({"values": {"a": "y"}}), answer, lambda text: text.replace("hunter2", "•••"))
    assert "hunt" not in caught.value.detail


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a", "one; two; 3"),
        ("join('/', [a, a])", ""),  # the third is no text
        ("b", ""),
    ],
)
def test_the_first_rows_are_shown(path: str, text: str) -> None:
    answer = rows_of({"a": "one"}, {"a": "two"}, {"a": 3}, {"a": "four"})
    assert shown(path, answer, str) == text


def test_a_moment_is_shown_as_json_has_it() -> None:
    at = datetime(2026, 11, 21, 9, tzinfo=UTC)
    assert read_value(Column("x", "", Sort.MOMENT), str(at.timestamp())).shown == "2026-11-21T09:00:00Z"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"query": "delete from t"}, "does not read rows"),
        ({"query": f"select {'1' * 30_000}"}, "at most 20000 characters"),
        ({"measures": {"Total": "number"}}, "'Total' cannot name a measure"),
        ({"measures": {"n": "parsec"}}, "'parsec' is not a unit: there are number, seconds"),
        ({"measures": {"n": "number"}, "labels": ["n"]}, "both a measure and a label"),
        ({"measures": {"a": "number", "b": "number"}, "max_rows": 501}, "501 rows of 2 measures are more than 900"),
        ({"max_rows": 901}, "less than or equal to 900"),
        ({"expect": {"rows": 101}}, "rows beyond 100 are not counted"),
        ({"expect": {"rows": "> 100.5"}}, "no number of rows"),
        ({"expect": {"rows": "many"}}, "no number of rows"),
        ({"expect": {"rows": True}}, "no number of rows"),
        ({"expect": {"equal": ["a"]}}, "at least 2 items"),
        ({"expect": {"json": {"][": 1}}}, "is not a JMESPath"),
        ({"show": "nope()"}, "no function of JMESPath"),
        ({"thresholds": [{"watch": "rows", "warning": "> 500"}]}, "rows beyond 100 are not counted"),
    ],
)
def test_what_makes_no_sense_is_refused_when_the_file_is_read(fields: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError, match="1 validation error") as caught:
        made(**fields)
    assert fault in str(caught.value)


@pytest.mark.parametrize(
    "fields",
    [
        {"max_rows": 900, "expect": {"rows": "> 900"}},
        {"thresholds": [{"watch": "sum(rows, 1h)", "warning": "> 500"}, {"watch": "rows", "warning": "> 1 parsec"}]},
        {"thresholds": [{"watch": "no good(", "warning": "> 5"}]},
        {"measures": {"Total": {"unit": "MB", "name": "total"}}},
    ],
)
def test_what_makes_sense_or_is_told_by_others_is_taken(fields: dict[str, Any]) -> None:
    assert made(**fields).max_rows


def test_a_check_declares_its_columns_with_their_units() -> None:
    check = made(measures={"Total": {"unit": "MB", "name": "total"}, "seen": "age"}, labels=["shop"])
    own = check.declared()[len(SqlCheck.measures) :]
    assert [(spec.name, spec.unit, spec.labels) for spec in own] == [
        ("total", Unit.BYTES, ("shop",)),
        ("seen", Unit.SECONDS, ("shop",)),
    ]


def test_a_check_without_measures_declares_what_thresholds_watch() -> None:
    watched = ['jobs{state="open", kind!="mail"}', "oldest", "duration", "rows", 'phase{phase="query"}']
    figures = ["> 7", "> 5m", "> 1s", "> 9", "> 1s"]
    thresholds = [{"watch": watch, "warning": figure} for watch, figure in zip(watched, figures, strict=True)]
    own = made(thresholds=thresholds).declared()[len(SqlCheck.measures) :]
    assert [(spec.name, spec.unit, spec.labels) for spec in own] == [
        ("jobs", Unit.NUMBER, ("kind", "state")),
        ("oldest", Unit.SECONDS, ()),
    ]


def test_labels_that_thresholds_select_by() -> None:
    looks = list(watches([ThresholdFields(watch='n{a="1", b!="2"}'), ThresholdFields(watch='m{c="3"}')]))
    assert selected(looks, {"n"}) == {"a", "b"}
    assert selected(looks, {"n", "m"}) == {"a", "b", "c"}
