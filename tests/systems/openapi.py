"""The vendors' own descriptions of their APIs: stand-ins are held against them where they lie beside the repository."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import ClientSession
from jsonschema import Draft202012Validator

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path("shared/reference/openapi")


def described(name: str) -> dict[str, Any]:
    """Return the description of a vendor's API; skips the test where it is not at hand."""
    return _read(name) or pytest.skip(f"no {FOLDER.name}/{name}.json beside the repository")


@cache
def _read(name: str) -> dict[str, Any] | None:
    for parent in Path(__file__).resolve().parents[2:]:
        path = parent / FOLDER / f"{name}.json"
        if path.is_file():
            made: dict[str, Any] = _as_json_schema(json.loads(path.read_text("utf-8")))
            return made
    return None


async def stand_in_faults(name: str, url: str, path: str, headers: Mapping[str, str]) -> list[str]:
    """Return what is wrong with what a stand-in answers at `url`, where a vendor describes `path`."""
    described(name)
    async with ClientSession() as session, session.get(url, headers=headers) as answer:
        assert answer.status == HTTPStatus.OK
        return faults(name, path, await answer.json())


def faults(name: str, path: str, answer: Any) -> list[str]:  # noqa: ANN401 - any JSON value
    """Return what is wrong with a successful `answer` to GET `path`, by the description of API `name`."""
    document = described(name)
    answers = document["paths"][path]["get"]["responses"]["200"]
    if "$ref" in answers:
        answers = document["components"]["responses"][answers["$ref"].rpartition("/")[2]]
    schema = answers["content"]["application/json"]["schema"]
    validator = Draft202012Validator({"components": document.get("components", {}), **schema})
    return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer)]


def _as_json_schema(node: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return OpenAPI 3.0 as JSON Schema: what it calls nullable may be null."""
    match node:
        case {"nullable": True, **rest}:
            return {"anyOf": [{"type": "null"}, _as_json_schema(rest)]}
        case dict():
            return {key: _as_json_schema(value) for key, value in node.items()}
        case list():
            return [_as_json_schema(each) for each in node]
        case _:
            return node
