"""From a node to a model: pydantic's findings become problems with places."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from botkit.bot.diagnostics import Mark, Problems, did_you_mean
from botkit.bot.fields import Vocabulary
from botkit.bot.matchers import PlainValue
from botkit.bot.models import Model
from botkit.bot.source import Document, Entries, Node, Scalar, find, find_key, plain

M = TypeVar("M", bound=Model)

_MESSAGES = {
    "model_type": "this takes a mapping",
    "dict_type": "this takes a mapping",
    "list_type": "this takes a list",
    "too_short": "there is nothing in it",
}


def validate(
    model: type[M],
    node: Node,
    *,
    document: Document,
    problems: Problems,
    vocabulary: Vocabulary,
    what: str = "",
) -> M | None:
    """Check a node against a model.

    Args:
        model: what it must be.
        node: what was written.
        document: the file that it stands in.
        problems: takes all that is wrong.
        vocabulary: what plugins add to the language.
        what: names the thing in messages about its keys; may be empty.

    Returns:
        The model. What is wrong was told and left out, so that it hides nothing else; None if that
        left too little.
    """
    if not isinstance(node, Entries):
        problems.add(node.mark, f"{what or 'this'} takes a mapping")
        return None
    content = {key: plain(value) for key, value in node.values.items()}
    try:
        return model.model_validate(content, context=vocabulary)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        for detail in details:
            finding = _Finding(model, node, detail)
            finding.report(document, problems, what)
    for detail in details:
        _leave_out(content, detail)
    try:
        return model.model_validate(content, context=vocabulary)
    except ValidationError:
        return None


def _leave_out(content: PlainValue, detail: ErrorDetails) -> None:
    """Take away what pydantic found wrong; what is gone already is no matter."""
    own = detail.get("ctx", {}).get("path", ()) if not detail["loc"] else ()
    *trail, last = [step for step in (*detail["loc"], *own) if step != "[key]"] or [None]
    parent: Any = content
    for step in trail:
        fits = isinstance(parent, dict) if isinstance(step, str) else isinstance(parent, list)
        if not fits or (isinstance(step, str) and step not in parent):
            return
        parent = parent[step]
    if isinstance(parent, dict):
        parent.pop(last, None)
    elif isinstance(parent, list) and isinstance(last, int):
        parent[last] = ""


class _Finding:
    """One thing that pydantic found, and where it points to."""

    def __init__(
        self,
        model: type[Model],
        node: Node,
        detail: ErrorDetails,
    ) -> None:
        self._node = node
        self._kind = detail["type"]
        self._message = detail["msg"]
        self._context: Mapping[str, Any] = detail.get("ctx", {})
        location = detail["loc"]
        self._owner = _owner(model, location[:-1])
        self._at_key = bool(location) and location[-1] == "[key]"
        self._trail = location[:-1] if self._at_key else location

    def report(self, document: Document, problems: Problems, what: str) -> None:
        if self._kind == "botkit":
            self._report_own(document, problems)
        elif self._kind == "extra_forbidden":
            self._report_unknown_key(problems, what)
        elif self._kind == "missing":
            message = f"the key {self._trail[-1]!r} is missing"
            problems.add(find(self._node, self._trail[:-1]).mark, message)
        else:
            message = _MESSAGES.get(self._kind, self._message)
            problems.add(find(self._node, self._trail).mark, message)

    def _report_own(self, document: Document, problems: Problems) -> None:
        trail = (*self._trail, *self._context["path"])
        at_key = self._at_key or self._context["at_key"]
        mark = find_key(self._node, trail) if at_key else self._place(document, trail)
        problems.add(mark, self._context["message"], hint=self._context["hint"])

    def _place(self, document: Document, trail: Sequence[str | int]) -> Mark:
        node, offset = find(self._node, trail), self._context["offset"]
        if offset is None or not isinstance(node, Scalar):
            return node.mark
        return document.place_in(node, offset)

    def _report_unknown_key(self, problems: Problems, what: str) -> None:
        key = str(self._trail[-1])
        known = _keys_of(self._owner)
        of = f" of {what}" if what and len(self._trail) == 1 else ""
        hint = did_you_mean(key, known) or f"there is {', '.join(known)}"
        problems.add(find_key(self._node, self._trail), f"unknown key {key!r}{of}", hint=hint)


def _keys_of(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _owner(model: type[BaseModel], trail: Sequence[str | int]) -> type[BaseModel]:
    """Find the model that a key belongs to, by walking down from the outermost one."""
    for step in trail:
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if isinstance(step, str) and step in fields:
            model = _model_in(fields[step].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_model_in(argument) for argument in typing.get_args(annotation))
    return next((found for found in inner if found is not None), None)
