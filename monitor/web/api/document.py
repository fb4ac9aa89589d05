"""The OpenAPI 3.1 document, generated from the operations and the models that answers are made of."""

from __future__ import annotations

import json
import re
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from monitor.web.api.examples import ANSWERS, BODIES, PLACES
from monitor.web.api.models.base import Problem
from monitor.web.api.operations import OPERATIONS, Access

if TYPE_CHECKING:
    from pydantic import BaseModel

    from monitor.web.api.operations import Operation
    from monitor.web.asked import Asked

Json = dict[str, Any]
VERSION = "1.0.0"
COMPONENTS = "#/components"
ABOUT = """How everything stands that runbook-monitor watches, what happened, and what people do about it.

All but the reports of jobs and deploys, and badges of public systems, needs the operator's token (`MONITOR_TOKEN`), as
`Bearer` or as the password of `Basic`. Where no token is set at all, reading is open to this machine, asked by its own
name, and nobody acts over HTTP. Cookies open nothing here. Ten wrong tokens in a minute: 429.

Moments are ISO 8601 in UTC, with the offset; a moment in a query without one is UTC. Spans are in seconds. Numbers are
in the base unit that stands beside them, and null where they are not finite. A later release may add fields, words and
addresses within `/api/v1`; what is here keeps its meaning. `HEAD` is answered wherever `GET` is. Parameters that are
not named here are refused."""
TEXT, JSON, SVG = "text/plain", "application/json", "image/svg+xml"
SECURITY: dict[Access, list[Json]] = {
    Access.READ: [{"operator": []}, {"operator_basic": []}],
    Access.ACT: [{"operator": []}, {"operator_basic": []}],
    Access.REPORT: [{"reporter": []}, {"reporter_basic": []}],
    Access.BADGE: [{}, {"operator": []}, {"operator_basic": []}],
    Access.OPEN: [],
}
SCHEMES = {
    "operator": {"type": "http", "scheme": "bearer", "description": "The operator's token, `MONITOR_TOKEN`."},
    "operator_basic": {"type": "http", "scheme": "basic", "description": "The same as password; any user name."},
    "reporter": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of the job, or that of the system's `deploys`. It opens nothing else.",
    },
    "reporter_basic": {"type": "http", "scheme": "basic", "description": "The same as password; any user name."},
}
RETRY = {"Retry-After": {"description": "In how many seconds to try again.", "schema": {"type": "string"}}}
CHALLENGE = {"WWW-Authenticate": {"description": "How a token is brought.", "schema": {"type": "string"}}}
CACHING = {
    "ETag": {"description": "Names this picture, for `If-None-Match`.", "schema": {"type": "string"}},
    "Cache-Control": {"description": "How long it may be kept.", "schema": {"type": "string"}},
}
FAILURES: dict[int, tuple[str, Json]] = {
    400: ("What is asked for makes no sense; the sentence names the parameter and what is allowed.", {}),
    401: ("There is no token, or a wrong one.", CHALLENGE),
    403: ("Nobody may, or a page of another site has sent this.", {}),
    404: ("There is no such thing.", {}),
    429: ("Too many wrong tokens.", RETRY),
    503: ("The store cannot be reached, or another instance must be asked; try again.", RETRY),
}
USUAL = {
    Access.READ: (400, 401, 403, 404, 429, 503),
    Access.ACT: (400, 401, 403, 404, 429, 503),
    Access.REPORT: (400, 404, 429, 503),
    Access.BADGE: (400, 404, 429),
    Access.OPEN: (400, 403),
}
WELL = {200: "Done, or shown.", 202: "Noted; it will be done.", 304: "It has not changed."}


@cache
def document() -> Json:
    """Return the document. It holds no secret, and is the same everywhere."""
    paths: dict[str, Json] = {}
    for one in OPERATIONS:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one)
    return {
        "openapi": "3.1.0",
        "info": {"title": "runbook-monitor", "version": VERSION, "description": ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "responses": {
                _failure_name(status, kind): _failure(status, kind) for status in FAILURES for kind in (JSON, TEXT)
            },
            "securitySchemes": SCHEMES,
        },
    }


def written() -> bytes:
    """Return the document as it is served, and stands in docs/openapi.json."""
    return (json.dumps(document(), indent=2, ensure_ascii=False) + "\n").encode()


def _operation(one: Operation) -> Json:
    found: Json = {
        "operationId": one.name,
        "summary": one.about,
        "parameters": [*_places(one.path), *_queries(one.asked)],
        "responses": {
            **{str(status): _answer(one, status) for status in one.answers},
            **{str(status): _refers("responses", _failure_name(status, _told_in(one))) for status in _failures(one)},
        },
        "security": SECURITY[one.access],
    }
    if one.body:
        content = {"schema": _refers("schemas", one.body.__name__), "examples": BODIES[one.name]}
        found["requestBody"] = {"required": one.access is Access.ACT, "content": {JSON: content}}
    elif one.access is Access.REPORT and one.method == "POST":
        said = "What the job printed: the last line of it is kept."
        found["requestBody"] = {"description": said, "content": {TEXT: {"schema": {"type": "string"}}}}
    return found


def _failures(one: Operation) -> list[int]:
    return [status for status in USUAL[one.access] if one.seeks or status != HTTPStatus.NOT_FOUND]


def _answer(one: Operation, status: int) -> Json:
    model = one.answers[status]
    shown: Json = {"description": WELL[status]}
    if one.access is Access.BADGE:
        shown["headers"] = CACHING
        if status == HTTPStatus.NOT_MODIFIED:
            return shown
        return shown | {"content": {SVG: {"schema": {"type": "string"}}}}
    if one.access is Access.REPORT:
        return shown | {"content": {TEXT: {"schema": {"type": "string"}}}}
    if model is None:
        return shown | {"content": {JSON: {"schema": {"type": "object"}}}}
    example = {"example": ANSWERS[one.name].model_dump(mode="json")} if status == HTTPStatus.OK else {}
    return shown | {"content": {JSON: {"schema": _refers("schemas", model.__name__), **example}}}


def _told_in(one: Operation) -> str:
    return TEXT if one.access in {Access.REPORT, Access.BADGE} else JSON


def _failure_name(status: int, kind: str) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "") + ("" if kind == JSON else "AsText")


def _failure(status: int, kind: str) -> Json:
    said, headers = FAILURES[status]
    schema = _refers("schemas", Problem.__name__) if kind == JSON else {"type": "string"}
    return {"description": said, **({"headers": headers} if headers else {}), "content": {kind: {"schema": schema}}}


def _places(path: str) -> list[Json]:
    return [{"name": name, "in": "path", "required": True, **PLACES[name]} for name in re.findall(r"{(\w+)}", path)]


def _queries(asked: type[Asked]) -> list[Json]:
    whole = asked.model_json_schema()
    required, known = whole.get("required", []), whole.get("$defs", {})
    return [
        _query(name, shown, known, required=name in required) for name, shown in whole.get("properties", {}).items()
    ]


def _query(name: str, shown: Json, known: Json, *, required: bool) -> Json:
    """Return a parameter of a query; a query has no null."""
    schema = {key: value for key, value in shown.items() if key not in {"title", "description"} and value is not None}
    if refers := schema.pop("$ref", None):
        schema |= {key: value for key, value in known[refers.rpartition("/")[2]].items() if key in {"enum", "type"}}
    options = schema.get("anyOf", [])
    if {"type": "null"} in options:
        (schema,) = [option for option in options if option != {"type": "null"}]
    return {"name": name, "in": "query", "required": required, "description": shown["description"], "schema": schema}


def _schemas() -> Json:
    answers = {model for one in OPERATIONS for model in one.answers.values() if model} | {Problem}
    bodies = {one.body for one in OPERATIONS if one.body}
    inputs: list[tuple[type[BaseModel], Any]] = [(model, "serialization") for model in sorted(answers, key=_name)]
    inputs += [(model, "validation") for model in sorted(bodies, key=_name)]
    _, found = models_json_schema(inputs, ref_template=f"{COMPONENTS}/schemas/{{model}}")
    return dict(sorted(_untitled(found["$defs"]).items()))


def _untitled(schema: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a schema without the titles of fields, which say nothing that their names do not."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(one) for key, one in schema.items() if key != "title" or not isinstance(one, str)}


def _name(model: type[BaseModel]) -> str:
    return model.__name__


def _refers(kind: str, name: str) -> Json:
    return {"$ref": f"{COMPONENTS}/{kind}/{name}"}
