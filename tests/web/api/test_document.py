"""The document: every route is in it, and everything in it is a route, is described, and has an example that fits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from monitor.live import as_record
from monitor.web.api.document import document
from monitor.web.api.examples import ANSWERS
from monitor.web.api.models import alerts
from monitor.web.api.operations import OPERATIONS, Access
from tests.web.api.shop import ALERTS, Site

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCUMENT = document()


def every() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, one in methods.items():
            yield path, method.upper(), one


def fits(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


async def test_the_document_tells_of_every_route_and_of_nothing_else() -> None:
    """A heartbeat's address has one route for all its words."""
    routes = {(route.method, re.sub(r"{(\w+):.*}", "{rest}", route.path)) for route in Site().routes}
    told = {(method, re.sub(r"(heartbeats)/{system}.*", r"\1/{rest}", path)) for path, method, _ in every()}
    assert told == routes
    assert {(one.path, one.method) for one in OPERATIONS} == {(path, method) for path, method, _ in every()}


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does() -> None:
    names = [one["operationId"] for _, _, one in every()]
    assert len(set(names)) == len(names) == len(OPERATIONS)
    assert all(one["summary"].endswith(".") for _, _, one in every())


def test_every_parameter_and_every_field_is_described() -> None:
    parameters = [one for _, _, operation in every() for one in operation["parameters"]]
    assert len(parameters) > 40
    assert all(one["description"] for one in parameters)
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert "enum" in schema or schema["description"], name
        for key, shown in schema.get("properties", {}).items():
            assert shown.get("description"), f"{name}.{key}"


def test_every_schema_is_one() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_example_fits() -> None:
    """Those of parameters, bodies and answers."""
    seen = 0
    for _, _, one in every():
        for parameter in one["parameters"]:
            for example in [*parameter["schema"].get("examples", []), *filter(None, [parameter.get("example")])]:
                fits(parameter["schema"]).validate(example)
                seen += 1
        parts = [one.get("requestBody", {}), *(answer for answer in one["responses"].values())]
        for part in parts:
            for content in part.get("content", {}).values():
                given = [shown["value"] for shown in content.get("examples", {}).values()]
                for example in [*given, *filter(None, [content.get("example")])]:
                    fits(content["schema"]).validate(example)
                    seen += 1
    assert seen > 50


def test_every_answer_of_json_has_an_example() -> None:
    shown = {one.name for one in OPERATIONS if one.answers[200]}
    assert shown == ANSWERS.keys()


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: one.name)
def test_every_operation_says_who_may_and_what_may_go_wrong(one: Any) -> None:  # noqa: ANN401 - an operation
    told = DOCUMENT["paths"][one.path][one.method.lower()]
    statuses = told["responses"].keys()
    if one.access in {Access.READ, Access.ACT}:
        assert {"400", "401", "403", "429", "503"} <= statuses
        assert {"operator": []} in told["security"]
    assert ("404" in statuses) == one.seeks
    assert ({} in told["security"]) == (one.access is Access.BADGE)


def test_what_commands_print_of_alerts_is_what_the_document_declares() -> None:
    for one in ALERTS:
        assert alerts.Alert.model_validate(as_record(one)).model_dump(mode="json") == as_record(one)
