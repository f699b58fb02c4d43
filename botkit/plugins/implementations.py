"""One plugin's or bot's implementation of one hook: read, checked, and ready to be called."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from botkit.errors import PluginError
from botkit.hookspecs import HOOKS, PROJECT

IMPLEMENTATION_MARK = f"{PROJECT}_impl"
NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Implementation:
    """A function that implements a hook.

    Attributes:
        plugin: name of the plugin, or of the bot.
        hook: name of the hook.
        function: what to call.
        arguments: which of the hook's arguments it takes; None if it takes all of them.
        file: where the function was written.
        culprit: ``plugin`` or ``bot``, for messages.
    """

    plugin: str
    hook: str
    function: Callable[..., object]
    arguments: tuple[str, ...] | None
    file: str
    culprit: str = "plugin"

    def call(self, given: dict[str, object]) -> object:
        """Call the function with those of the hook's arguments that it takes."""
        if self.arguments is None:
            return self.function(**given)
        return self.function(**{name: given[name] for name in self.arguments})

    def error(self, message: str, *, reason: str) -> PluginError:
        """Make the error that blames this implementation."""
        return PluginError(
            message, plugin=self.plugin, hook=self.hook, reason=reason, culprit=self.culprit
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A hook implementation as found on an object: attribute, hook and pluggy's options."""

    attribute: str
    hook: str
    options: Mapping[str, object]


def read_implementation(
    plugin: str,
    mark: Mark,
    function: Callable[..., object],
    *,
    bound_later: bool = False,
    culprit: str = "plugin",
) -> Implementation | None:
    """Check a marked function against the hook that it implements.

    Args:
        bound_later: the function's first parameter is ``self``, which is not given yet.

    Returns:
        The implementation; None if pluggy was told that the hook need not exist, and it does not.

    Raises:
        PluginError: the hook does not exist, or the function does not fit it.
    """

    def refuse(message: str) -> PluginError:
        return PluginError(message, plugin=plugin, hook=mark.hook, reason=culprit, culprit=culprit)

    documented = HOOKS.get(mark.hook)
    if documented is None:
        if mark.options.get("optionalhook"):
            return None
        raise refuse(f"there is no hook of this name{did_you_mean(mark.hook, HOOKS)}")
    if mark.options.get("hookwrapper") or mark.options.get("wrapper"):
        raise refuse("wrappers are not supported; implement the hook plainly")
    if trouble := unfit_kind(mark.hook, function):
        raise refuse(trouble)
    arguments = []
    for name, parameter in parameters(function, bound_later=bound_later):
        if name in documented and parameter.kind in NAMED:
            arguments.append(name)
        elif parameter.kind not in NAMED or parameter.default is parameter.empty:
            raise refuse(
                f"it has no argument {parameter.replace(annotation=parameter.empty)};"
                f" it offers {', '.join(documented)}{did_you_mean(name, documented)}"
            )
    takes_all = set(arguments) == set(documented)
    return Implementation(
        plugin=plugin,
        hook=mark.hook,
        function=function,
        arguments=None if takes_all else tuple(arguments),
        file=file_of(function),
        culprit=culprit,
    )


def unfit_kind(hook: str, function: Callable[..., object]) -> str | None:
    """Say why a function of this kind would not run as a hook; None if it would."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        return "it yields, so calling it would run nothing; write it without yield"
    if hook.startswith("register_") and inspect.iscoroutinefunction(function):
        return "registering hooks are plain functions, not async ones"
    return None


def parameters(
    function: Callable[..., object], *, bound_later: bool
) -> Iterator[tuple[str, inspect.Parameter]]:
    """Give the parameters that a caller of a hook sees."""
    found = iter(inspect.signature(function).parameters.items())
    if bound_later:
        next(found, None)
    return found


def file_of(function: Callable[..., object]) -> str:
    """Tell which file a function was written in; empty if none."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_filename if code is not None else ""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Offer the known name that is closest, as the end of a message; empty if none is close."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""
