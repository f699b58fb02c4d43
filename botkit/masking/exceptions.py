"""Takes what must not be shown out of an exception that is on its way to somebody. Pure."""

from __future__ import annotations

from typing import Any

from botkit.errors import BotkitError
from botkit.masking.masker import Masker

__all__ = ["mask_error"]


def mask_error(error: BaseException, mask: Masker) -> None:
    """Mask an error and all that led to it, as a traceback shows them.

    Of botkit's own errors all texts that they have are masked; of others what they were made of.
    """
    todo: list[BaseException | None] = [error]
    done: set[int] = set()
    while todo if mask else ():
        one = todo.pop()
        if one is None or id(one) in done:
            continue
        done.add(id(one))
        todo += (one.__cause__, one.__context__)
        if isinstance(one, BaseExceptionGroup):
            todo += one.exceptions
        one.args = tuple(_masked(value, mask) for value in one.args)
        for name, value in vars(one).items() if isinstance(one, BotkitError) else ():
            setattr(one, name, _masked(value, mask))


def _masked(value: Any, mask: Masker) -> Any:
    if isinstance(value, str):
        return mask(value)
    return tuple(_masked(item, mask) for item in value) if type(value) is tuple else value
