"""Knows what a step will capture with ``mask`` before the step has read it.

A message is shown the moment it comes, and may wait long until a step reads it. Whether one will is
not known then, so only this message is shown without what a step would take from it.
"""

from __future__ import annotations

from collections.abc import Iterator

from botkit.bot.matcher_kinds import MatcherError
from botkit.bot.playing import Broken, judge
from botkit.bot.script import BotScript, Expect, all_steps
from botkit.bot.values import Values, VariableError
from botkit.chat import Message
from botkit.interfaces import Match


class Foresight:
    """Tries a message on all steps that mask a capture, wherever the script is.

    Args:
        script: the steps.
        values: what their matchers are made of.
    """

    __slots__ = ("_steps", "_values")

    def __init__(self, script: BotScript, values: Values) -> None:
        self._values = values
        self._steps = tuple(
            (step.matcher, step.mask)
            for step in all_steps(script.steps)
            if isinstance(step, Expect) and step.mask
        )

    def see(self, message: Message) -> Iterator[str]:
        """Give what steps would capture and mask, should they come to read a message."""
        for spec, names in self._steps:
            try:
                answer = judge(spec.build(self._values), message)
            except (VariableError, MatcherError, Broken):
                # Not before its turn, or never: the step itself will tell.
                continue
            if isinstance(answer, Match):
                yield from (answer.captures[name] for name in names if name in answer.captures)
