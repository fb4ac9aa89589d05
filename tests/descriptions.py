"""What vendors publish of their APIs, where a copy of it lies beside the repository, and stand-ins held against it."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

ROOT = Path(__file__).resolve().parents[1]
PLACE = Path("shared/reference/openapi")


def folder() -> Path | None:
    """Return where the descriptions lie: beside a folder above this one, or above the repository of this work tree."""
    git = ROOT / ".git"
    repository = Path(git.read_text("utf-8").partition(":")[2].strip()) if git.is_file() else ROOT
    places = (above / PLACE for start in (ROOT, repository) for above in start.parents)
    return next((place for place in places if place.is_dir()), None)


class Description:
    """An OpenAPI document."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = _settled(document)
        self._registry: Registry[Any] = Registry().with_resource(
            "urn:description", Resource.from_contents(self.document, default_specification=DRAFT202012)
        )

    def faults(self, path: str, status: int, value: Any) -> list[str]:  # noqa: ANN401 - any JSON value
        """Return in which way `value` is no answer of that status to a GET of `path`, written with `{names}`."""
        found: Any = self.document["paths"][path]["get"]["responses"][str(status)]
        while "$ref" in found:
            found = self._registry.resolver("urn:description").lookup(found["$ref"]).contents
        schema = found["content"]["application/json"]["schema"]
        validator = Draft202012Validator(schema, registry=self._registry)
        return [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(value)]

    def parameters(self, path: str) -> set[str]:
        """Return the names of the parameters in the query that a GET of `path` takes."""
        resolver = self._registry.resolver("urn:description")
        place = self.document["paths"][path]
        listed = [*place.get("parameters", []), *place["get"].get("parameters", [])]
        whole = [resolver.lookup(each["$ref"]).contents if "$ref" in each else each for each in listed]
        return {each["name"] for each in whole if each["in"] == "query"}


@cache
def description(name: str) -> Description:
    """Return the description `name`; skips the test where there is none."""
    found = folder()
    if found is None:
        pytest.skip(f"no {PLACE} lies beside the repository")
    return Description(json.loads((found / name).read_text("utf-8")))


def _settled(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a part of a document of OpenAPI 3.0 as JSON Schema has it.

    Its `oneOf` often names objects that are told apart by nothing; what fits several of them is right all the same.
    """
    if isinstance(value, list):
        return [_settled(each) for each in value]
    if not isinstance(value, dict):
        return value
    made = {("anyOf" if key == "oneOf" else key): _settled(each) for key, each in value.items()}
    if isinstance(made.get("$ref"), str) and made["$ref"].startswith("#"):
        made["$ref"] = f"urn:description{made['$ref'].replace('/oneOf/', '/anyOf/')}"
    if made.pop("nullable", False) is True and isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    return made
