"""What a Render blueprint may say: the documented keys, types, values and combinations, as far as our files use them.

Sources: https://render.com/docs/blueprint-spec, and of github.com/render-oss/skills (2026-08-18) render-blueprints with
its field reference and common mistakes, render-disks and render-scaling. What Render publishes as
https://render.com/schema/render.yaml.json is the authority; this one is stricter, knows no deprecated key, and also
refuses combinations that Render refuses only when the file is applied.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PLANS = ["free", "starter", "standard", "pro", "pro plus", "pro max", "pro ultra"]
SIZES = {"basic": ("256mb", "1gb", "4gb"), "pro": ("4gb", "8gb", "16gb", "32gb", "64gb", "128gb", "192gb", "256gb")}
DATABASE_PLANS = ["free", *(f"{tier}-{size}" for tier, sizes in SIZES.items() for size in sizes)]
REGIONS = ["oregon", "ohio", "virginia", "frankfurt", "singapore"]
OWNED = [
    *("/", "/opt", "/opt/render", "/opt/render/project", "/opt/render/project/src"),
    *("/home", "/home/render", "/etc", "/etc/secrets"),
]
"""Where no disk can be mounted; below most of them it can."""

NAME = {"type": "string", "pattern": "^[a-z][a-z0-9-]*$"}
TEXT = {"type": "string", "minLength": 1}


def _object(required: str, **properties: object) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


FROM_DATABASE = _object(
    "name property",
    name=NAME,
    property={
        "enum": ["connectionString", "connectionPoolString", "host", "port", "user", "password", "database"],
    },
)
VARIABLE = {
    **_object(
        "key",
        key={"type": "string", "pattern": "^[A-Z][A-Z0-9_]*$"},
        value={"type": "string"},
        generateValue={"const": True},
        sync={"const": False},
        fromDatabase=FROM_DATABASE,
    ),
    "minProperties": 2,
    "maxProperties": 2,
}
DISK = _object(
    "name mountPath sizeGB",
    name=NAME,
    mountPath={"type": "string", "pattern": "^/", "not": {"enum": OWNED}},
    sizeGB={"type": "integer", "minimum": 1},
)
SERVICE = {
    **_object(
        "type name runtime plan region dockerCommand envVars",
        type={"enum": ["web", "worker", "pserv"]},
        name=NAME,
        runtime={"const": "docker"},
        plan={"enum": PLANS},
        region={"enum": REGIONS},
        branch=TEXT,
        dockerfilePath=TEXT,
        dockerContext=TEXT,
        dockerCommand=TEXT,
        preDeployCommand=TEXT,
        autoDeployTrigger={"enum": ["commit", "checksPass", "off"]},
        maxShutdownDelaySeconds={"type": "integer", "minimum": 1, "maximum": 300},
        healthCheckPath={"type": "string", "pattern": "^/"},
        numInstances={"type": "integer", "minimum": 1},
        disk=DISK,
        envVars={"type": "array", "items": VARIABLE},
    ),
    "allOf": [
        {  # only a web service has HTTP health checks, and only one can be free
            "if": {"properties": {"type": {"not": {"const": "web"}}}},
            "then": {"properties": {"healthCheckPath": False, "plan": {"not": {"const": "free"}}}},
        },
        {  # what a free instance has not
            "if": {"properties": {"plan": {"const": "free"}}},
            "then": {
                "properties": dict.fromkeys(
                    ("disk", "preDeployCommand", "maxShutdownDelaySeconds", "numInstances"), False
                )
            },
        },
        {"if": {"required": ["disk"]}, "then": {"properties": {"numInstances": {"const": 1}}}},
    ],
}
DATABASE = _object(
    "name plan region",
    name=NAME,
    plan={"enum": DATABASE_PLANS},
    region={"enum": REGIONS},
    postgresMajorVersion={"type": "string", "pattern": "^1[3-8]$"},
    databaseName=NAME,
    user=NAME,
    diskSizeGB={"type": "integer", "minimum": 1},
    ipAllowList={"type": "array"},
    connectionPool={"const": "pgbouncer"},
)
BLUEPRINT = _object(
    "services",
    services={"type": "array", "minItems": 1, "items": SERVICE},
    databases={"type": "array", "items": DATABASE},
)


def read(path: Path) -> dict[str, Any]:
    """Return a blueprint as plain values; a duplicate key is an error."""
    found: dict[str, Any] = YAML(typ="safe", pure=True).load(path.read_text())
    return found


def faults(blueprint: Any) -> list[str]:  # noqa: ANN401 - whatever YAML gives
    """Return what Render would refuse in `blueprint`, a sentence each."""
    found = [f"{error.json_path}: {error.message}" for error in Draft202012Validator(BLUEPRINT).iter_errors(blueprint)]
    return found or list(_across(blueprint))


def _across(blueprint: dict[str, Any]) -> Iterator[str]:
    """Yield what is wrong between one part and another."""
    databases = {database["name"]: database for database in blueprint.get("databases", [])}
    names = [part["name"] for part in (*blueprint["services"], *blueprint.get("databases", []))]
    if len(names) != len(set(names)):
        yield "two parts have one name"
    for service in blueprint["services"]:
        keys = [variable["key"] for variable in service["envVars"]]
        if len(keys) != len(set(keys)):
            yield f"{service['name']}: a variable stands there twice"
        for variable in service["envVars"]:
            source = variable.get("fromDatabase", {}).get("name")
            if source and source not in databases:
                yield f"{service['name']}: there is no database {source}"
            elif source and databases[source]["region"] != service["region"]:
                yield f"{service['name']}: {source} is in another region, where no private network leads"
        disk = service.get("disk")
        if disk and str(PurePosixPath(disk["mountPath"])) != disk["mountPath"]:
            yield f"{service['name']}: {disk['mountPath']} is not the plain form of a path"
