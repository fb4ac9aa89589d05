"""The JSON Schema of a configuration file, made from the models that read it: for editors, and for checks elsewhere."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from monitor.config.fields import MainFile, SystemFields, SystemFile
from monitor.config.kinds import CHANNELS, CHECKS, keys
from monitor.config.names import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


DIALECT = "https://json-schema.org/draft/2020-12/schema"
VARIABLE = {"type": "string", "pattern": r"\$\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\}"}
NARROW = {"enum", "pattern", "format", "minLength", "maxLength"}
"""What makes a text one that a variable's place-holder would not be."""
NUMBERS = {"integer", "number", "boolean"}
TOLD = ("description", "default", "examples")
NAMED_PARTS = {"properties", "patternProperties"}
LISTED_PARTS = {"anyOf", "oneOf", "allOf", "prefixItems"}
SINGLE_PARTS = {"items", "additionalProperties"}
ADDRESS = "https://shop.example.com/"
UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1))

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the JSON Schema of a whole file: the main file, or that of one system."""
    models: list[type[BaseModel]] = [MainFile, SystemFields, SystemFile]
    checks, channels = CHECKS.all(), CHANNELS.all()
    definitions = definitions_of([*models, *checks.values(), *channels.values()])
    definitions["Check"] = _choice(checks, CHECKS.of_address(ADDRESS), definitions)
    definitions["Channel"] = _choice(channels, CHANNELS.of_address(ADDRESS), definitions)
    _name(definitions["MainFile"], "channels", _ref("Channel"))
    _name(definitions["MainFile"], "systems", _ref("SystemFields"))
    for model in ("SystemFields", "SystemFile"):
        _name(definitions[model], "checks", _ref("Check"))
        fields = sorted({key for kind in checks.values() for key in keys(kind)} - {"kind"})
        definitions[model]["properties"]["defaults"] |= {"propertyNames": {"enum": fields}}
    return {
        "$schema": DIALECT,
        "title": "runbook-monitor",
        "description": "A configuration file of runbook-monitor: the main file, or the file of one system.",
        "if": {"type": "object", "required": ["system"]},
        "then": _ref("SystemFile"),
        "else": _ref("MainFile"),
        "$defs": {"Variable": VARIABLE, **definitions},
    }


def definitions_of(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """Return the schema of each of `models`, and of what they hold, by its name."""
    _, whole = models_json_schema([(model, "validation") for model in models], schema_generator=_Generator)
    return {name: _opened(part) for name, part in whole["$defs"].items()}


def in_words(value: Any) -> Any:  # noqa: ANN401 - any default
    """Return a default as a file would write it."""
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, BaseModel):
        return {key: in_words(getattr(value, key)) for key in value.model_fields_set}
    return value


class _Generator(GenerateJsonSchema):
    """Writes defaults as a file would."""

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - the library's signature
        return super().encode_default(in_words(dft))


def _duration(value: timedelta) -> str:
    left = value // timedelta(microseconds=1)
    text = ""
    for name, size in UNITS:
        count, left = divmod(left, size)
        text += f"{count}{name}" if count else ""
    return text or "0s"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _choice(
    kinds: Mapping[str, type[BaseModel]], meant: tuple[str, Any] | None, definitions: Mapping[str, Schema]
) -> Schema:
    """Return the schema of one check or channel: an address, or a mapping whose kind says what it may hold.

    `meant` is the kind that a `url` means where none is said.
    """
    for name, kind in kinds.items():
        definitions[kind.__name__]["properties"]["kind"] = {"const": name}
    told_by_url = [_ref(kind.__name__) for name, kind in kinds.items() if meant and name == meant[0]]
    return {
        "if": {"type": "string"},
        "else": {
            "type": "object",
            "properties": {"kind": {"enum": list(kinds)}},
            "allOf": [
                {
                    "if": {"required": ["kind"], "properties": {"kind": {"const": name}}},
                    "then": _ref(kind.__name__),
                }
                for name, kind in kinds.items()
            ],
            "if": {"not": {"required": ["kind"]}},
            "then": {"anyOf": told_by_url},
        },
    }


def _name(definition: Schema, key: str, part: Schema) -> None:
    """Make `key` of `definition` a mapping from names to `part`."""
    definition["properties"][key] |= {
        "additionalProperties": part,
        "propertyNames": {"pattern": f"^{NAMED.pattern}$"},
    }


def _opened(part: Schema) -> Schema:
    """Return `part` without titles, which repeat keys, and with a variable allowed for all but mappings and lists."""
    part = {key: _inner(key, value) for key, value in part.items() if key != "title"}
    narrow = part.get("type") == "string" and not NARROW.isdisjoint(part)
    if part.get("type") not in NUMBERS and not narrow:
        return part
    told = {key: part.pop(key) for key in TOLD if key in part}
    return {**told, "anyOf": [part, _ref("Variable")]}


def _inner(key: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what stands at `key` of a schema, with the schemas in it opened too."""
    if key in NAMED_PARTS:
        return {name: _opened(each) for name, each in value.items()}
    if key in LISTED_PARTS:
        return [_opened(each) for each in value]
    return _opened(value) if key in SINGLE_PARTS and isinstance(value, dict) else value
