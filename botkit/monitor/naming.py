"""Monitors that a file of monitors names in other places than their own: there must be such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from botkit.bot.diagnostics import Mark, Problems, did_you_mean
from botkit.bot.source import Node, find
from botkit.monitor.models import MonitorModel, MonitorsModel


class Names:
    """Sees that monitors are named that there are, and that none waits for itself.

    Args:
        root: of the file.
        models: its monitors by name; None for those that are wrong in themselves.
        problems: takes what is wrong.
    """

    def __init__(
        self, root: Node, models: Mapping[str, MonitorModel | None], problems: Problems
    ) -> None:
        self._root, self._models, self._problems = root, models, problems

    def check(self, model: MonitorsModel | None) -> None:
        """Look at all places.

        Args:
            model: what else the file says; None if that is wrong.
        """
        for number, window in enumerate(model.maintenance if model else ()):
            self._check(window.monitors, ("maintenance", number, "monitors"))
        for route, wanted in (model.alerts.to if model else {}).items():
            self._check(wanted.monitors, ("alerts", "to", route, "monitors"))
        self._check_needs()

    def _check(self, names: Sequence[str], trail: tuple[str | int, ...]) -> None:
        for position, name in enumerate(names):
            if name not in self._models:
                self._no_monitor(self._mark(trail, position), name)

    def _check_needs(self) -> None:
        models = self._models.items()
        needs = {name: tuple(model.needs) if model else () for name, model in models}
        for name, needed_ones in needs.items():
            for position, needed in enumerate(needed_ones):
                mark = self._mark(("monitors", name, "needs"), position)
                if needed not in needs:
                    self._no_monitor(mark, needed)
                elif name in _all_needed(needed, needs):
                    self._problems.add(mark, f"{name!r} needs itself, by way of {needed!r}")

    def _mark(self, trail: tuple[str | int, ...], position: int) -> Mark:
        return find(find(self._root, trail), (position,)).mark

    def _no_monitor(self, mark: Mark, name: str) -> None:
        hint = did_you_mean(name, self._models)
        self._problems.add(mark, f"there is no monitor {name!r}", hint=hint)


def _all_needed(name: str, needs: Mapping[str, Sequence[str]]) -> set[str]:
    """Give a monitor with all that it needs, directly or not."""
    found: set[str] = set()
    todo = [name]
    while todo:
        needed = todo.pop()
        if needed not in found:
            found.add(needed)
            todo += needs.get(needed, ())
    return found
