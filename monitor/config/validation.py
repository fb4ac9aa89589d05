"""From values to a model, with every mistake in the words of the file and none in those of the library."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from monitor.faults import allowed
from monitor.secrets import Redactor, Secret

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic_core import ErrorDetails

    from monitor.config.section import Section
    from monitor.config.yaml_file import KeyPath

Model = TypeVar("Model", bound=BaseModel)

WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "tuple_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "time_delta_type": "a duration",
    "is_instance_of": "text",  # what hides its value is written as text
}
FIGURES = ("info", "warning", "critical", "target")

_SUBJECT = re.compile(r"^[A-Z]\w* should ")
_QUOTED = re.compile(r"'([^']*)'")


def validate(model: type[Model], section: Section) -> Model | None:
    """Return the `model` that `section` holds. Mistakes are noted as faults, and left out; None if nothing can be left.

    A model without them is of use only for finding what else is wrong.
    """
    while True:
        try:
            return model.model_validate(section.data)
        except ValidationError as error:
            mistakes = [_Mistake(model, section.data, detail) for detail in error.errors(include_url=False)]
        if not section.reread(mistake.path for mistake in mistakes):
            break
    for path, group in _grouped(mistakes):
        section.fault(path, *_told(group))
    for mistake in mistakes:
        section.drop(mistake.path)
    try:
        return model.model_validate(section.data)
    except ValidationError:
        return None


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:  # noqa: ANN401 - any annotation
    """Yield the models that a field of this annotation may hold."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_in(part)


class _Mistake:
    """One error of the library: where in the data it lies, of which type it is, what it says."""

    def __init__(self, model: type[BaseModel], data: Any, detail: ErrorDetails) -> None:  # noqa: ANN401 - any value
        location = detail["loc"]
        self.type = detail["type"]
        self.path = _path(data, location)
        self.input = detail["input"]
        self.hint = ""
        match self.type:
            case "missing":
                self.path = (*self.path, str(location[-1]))
                self.message = "is required"
            case "extra_forbidden":
                self.message = "unknown key"
                self.hint = allowed(str(location[-1]), _keys(model, location[:-1]))
            case "literal_error" | "enum":
                self.message = f"{self.input!r} is not allowed"
                words = _QUOTED.findall(str(detail["ctx"]["expected"]))
                self.hint = "quote it" if str(self.input) in words else allowed(str(self.input), words)
            case "value_error":
                self.message = str(detail["ctx"]["error"])
            case "greater_than" if "timedelta" in detail["msg"]:
                self.message = "must be longer than no time"
            case "too_short":
                self.message = "must not be empty"
            case _:
                self.message = f"must {_SUBJECT.sub('', detail['msg'])}"
        if self.type != "extra_forbidden" and Secret in _types(model, location):
            self.message = Redactor([Secret(str(self.input))])(self.message)

    @property
    def wanted(self) -> str:
        """What the value should be, where it is of the wrong type."""
        return WANTED.get(self.type, "")


def _path(data: Any, location: Sequence[str | int]) -> KeyPath:  # noqa: ANN401 - any value
    """Return `location` without the steps that name a choice of the model and nothing in the data."""
    path: list[str | int] = []
    for step in location:
        inside = step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))
        if inside:
            path.append(step)
            data = data[step]
    return tuple(path)


def _grouped(mistakes: Iterable[_Mistake]) -> Iterator[tuple[KeyPath, list[_Mistake]]]:
    """Yield the mistakes by place; where something within a value is wrong, that says more than that the value is."""
    groups: dict[KeyPath, list[_Mistake]] = {}
    for mistake in mistakes:
        groups.setdefault(mistake.path, []).append(mistake)
    for path, group in groups.items():
        if not any(len(other) > len(path) and other[: len(path)] == path for other in groups):
            yield path, group


def _told(group: list[_Mistake]) -> tuple[str, str]:
    """Return message and hint for the mistakes at one place: one for each type that it might have had."""
    telling = [mistake for mistake in group if not mistake.wanted]
    if telling:
        return " or ".join(dict.fromkeys(mistake.message for mistake in telling)), telling[0].hint
    first = group[0]
    if first.input is None:
        return "has no value", ""
    message = "must be " + " or ".join(dict.fromkeys(mistake.wanted for mistake in group))
    if first.path and first.path[-1] in FIGURES:
        return message, 'a figure is a comparison in quotes, such as "> 300ms"'
    return message, "quote it" if "text" in message and not isinstance(first.input, dict | list) else ""


def _keys(model: type[BaseModel], location: Sequence[str | int]) -> list[str]:
    models = _walk(model, location)[0]
    return [field.alias or name for each in models for name, field in each.model_fields.items()]


def _types(model: type[BaseModel], location: Sequence[str | int]) -> set[Any]:
    return set(_flat(_walk(model, location)[1]))


def _walk(model: type[BaseModel], location: Sequence[str | int]) -> tuple[list[type[BaseModel]], Any]:
    """Return the models that `location` may lie in, and the annotation of the last field on the way."""
    models: list[type[BaseModel]] = [model]
    annotation: Any = None
    for step in location:
        named = [each for each in models if each.__name__ == step]
        fields = [
            field for each in models for name, field in each.model_fields.items() if step == (field.alias or name)
        ]
        if named:
            models = named
        elif fields:
            annotation = tuple(field.annotation for field in fields)
            models = [inner for field in fields for inner in models_in(field.annotation)] or models
    return models, annotation


def _flat(annotation: Any) -> Iterator[Any]:  # noqa: ANN401 - any annotation
    yield annotation if isinstance(annotation, type) else None
    for part in annotation if isinstance(annotation, tuple) else get_args(annotation):
        yield from _flat(part)
