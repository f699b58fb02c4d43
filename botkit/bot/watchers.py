"""What is tried on every event as it comes: guards (``never``) and reactions (``whenever``).

They see each event once, before the step that waits does, and consume nothing.
"""

from __future__ import annotations

from botkit.bot import script as ast
from botkit.bot.playing import Broken, Log, Over, judge
from botkit.bot.script import Guard, Step, Whenever
from botkit.bot.stage import Stage
from botkit.bot.turn import Finished
from botkit.bot.verbs import command_of, finish
from botkit.chat import Event, Message, describe
from botkit.chat.events import snake_case
from botkit.chat.transcript import text_of
from botkit.chat.tried import is_from
from botkit.interfaces import Match, Matcher
from botkit.results import Reason


class Guards:
    """The guards of a script, on watch.

    Attributes:
        seen: how many messages they have seen.
    """

    __slots__ = ("_guards", "_matchers", "_stage", "seen")

    def __init__(self, guards: tuple[Guard, ...], stage: Stage) -> None:
        self.seen = 0
        self._guards = guards
        self._stage = stage
        self._matchers: list[Matcher | None] = [None] * len(guards)

    def look(self, message: Message) -> None:
        """Try all guards on a message.

        Raises:
            Over: it says what must never be said, or a guard cannot tell.
        """
        self.seen += 1
        for number, guard in enumerate(self._guards):
            if is_from(message, guard.sender):
                self._try(number, guard, message)

    def _try(self, number: int, guard: Guard, message: Message) -> None:
        log = Log(self._stage.now, asserts=True)
        broken: Broken | None = None
        try:
            matcher = self._matchers[number]
            if matcher is None:
                matcher = self._matchers[number] = self._stage.build(guard.matcher)
            if isinstance(judge(matcher, message), Match):
                line = describe(message)
                log.expected, log.received = f"never {matcher}", (line,)
                broken = Broken(Reason.GUARD, f"what must never be said was said: {line}")
        except Broken as error:
            broken = error
        if broken is not None:
            finished = self._stage.ledger.write(
                path=guard.path,
                verb="never",
                text=log.expected or "never",
                place=guard.place,
                log=log,
                now=self._stage.now,
                broken=broken,
            )
            raise Over(finished, at_once=True)


class Reactions:
    """The reactions of a script, each with the number of times it has fired.

    Attributes:
        under_way: numbers of the commands that reactions gave and that are not done yet.
    """

    __slots__ = ("_fired", "_matchers", "_reactions", "_stage", "under_way")

    def __init__(self, reactions: tuple[Whenever, ...], stage: Stage) -> None:
        self.under_way: frozenset[int] = frozenset()
        self._reactions = reactions
        self._stage = stage
        self._fired = [0] * len(reactions)
        self._matchers: list[Matcher | None] = [None] * len(reactions)

    def look(self, event: Event) -> None:
        """Let every reaction that fits an event happen.

        Raises:
            Over: one of them ends the script, or cannot tell whether it fits.
        """
        for number, reaction in enumerate(self._reactions):
            if type(event) is reaction.kind:
                self._try(number, reaction, event)

    def _try(self, number: int, reaction: Whenever, event: Event) -> None:
        log = Log(self._stage.now)
        try:
            if not self._fits(number, reaction, event):
                return
        except Broken as broken:
            raise Over(self._write(reaction, log, broken), at_once=True) from broken
        self._fired[number] += 1
        log.took, log.asserts = describe(event), True
        self._write(reaction, log)
        for step in reaction.do:
            self._do(step)

    def _fits(self, number: int, reaction: Whenever, event: Event) -> bool:
        if reaction.times is not None and self._fired[number] >= reaction.times:
            return False
        if not is_from(event, reaction.sender):
            return False
        if reaction.matcher is None:
            return True
        matcher = self._matchers[number]
        if matcher is None:
            matcher = self._stage.build(reaction.matcher)
            if not reaction.matcher.names:
                self._matchers[number] = matcher
        text = getattr(event, "text", "") or text_of(event)
        answer = judge(matcher, event if isinstance(event, Message) else text)
        if isinstance(answer, Match):
            self._stage.capture(answer)
        return isinstance(answer, Match)

    def _write(self, reaction: Whenever, log: Log, broken: Broken | None = None) -> Finished:
        return self._stage.ledger.write(
            path=reaction.path,
            verb="whenever",
            text=f"whenever: {snake_case(reaction.kind.__name__)}",
            place=reaction.place,
            log=log,
            now=self._stage.now,
            broken=broken,
        )

    def _do(self, step: Step) -> None:
        """Do a step of a reaction: it waits for nothing."""
        stage, log = self._stage, Log(self._stage.now)
        try:
            match step:
                case ast.Note():
                    stage.note(stage.fill(step.note))
                case ast.Finish():
                    finish(stage, step, log)
                case _:
                    self.under_way |= {stage.order(command_of(stage, step))}
        except Broken as broken:
            finished = stage.ledger.write_step(step, log, stage.now, broken)
            raise Over(finished, at_once=True) from broken
