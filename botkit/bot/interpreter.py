"""Plays a bot's script. Pure: time, events and randomness are passed in.

Theory of operation. Each verb is a generator (``verbs.py``). Where it has to wait it yields a
:class:`Need`: a question that is asked again after every input, and a deadline. The interpreter
takes its inputs in order and lives in their time: before an input is taken in, every deadline
before its stamp has passed, each at its own time; an event stamped at a deadline still beats it.
So it makes no difference how inputs are dealt out to calls of :meth:`Interpreter.step`, and a
transcript replays to the same verdict.

An event is seen by the guards (``never``) first, then by the reactions (``whenever``), then by the
step that waits. When the steps are done no reaction begins any more, but the script is over only
when those that happened have said what they had to say. What breaks ends the script at once.

A script that is stepped through by hand asks (``Hold``) before each step, and begins it when told
(``Released``). While it is held the guards and the reactions go on, and no deadline runs.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

from botkit.bot.comeback import Comeback
from botkit.bot.playing import Broken, Need, Over, Play, Unmet, broken_by
from botkit.bot.script import BotScript
from botkit.bot.stage import Stage
from botkit.bot.turn import ActionDone, Finished, Input, Performed, Released, Turn
from botkit.bot.values import NOTHING, Values
from botkit.bot.verbs import play_all
from botkit.bot.watchers import Guards, Reactions
from botkit.chat import Event, Message
from botkit.chat.events import is_own
from botkit.errors import InboxOverflow, SessionClosed
from botkit.results import Reason, StepResult, Verdict

__all__ = ["Interpreter"]


class Interpreter:
    """Plays one script once.

    Args:
        script: what to play.
        values: what its ``${...}`` stand for; variables and masks grow in it.
        rng: decides how long typing takes.
        began: the loop's clock from which steps are counted.
        userdata: what was visible before the first input.
        stepped: hold each step until it is released.
    """

    __slots__ = (
        "_closing",
        "_finished",
        "_guards",
        "_need",
        "_play",
        "_reactions",
        "_script",
        "_stage",
    )

    def __init__(
        self,
        script: BotScript,
        values: Values,
        *,
        rng: random.Random,
        began: float = 0.0,
        userdata: Mapping[str, str] = NOTHING,
        stepped: bool = False,
    ) -> None:
        self._script = script
        self._stage = Stage(
            values,
            rng=rng,
            began=began,
            userdata=userdata,
            comeback=Comeback() if script.reloads else None,
            stepped=stepped,
        )
        self._guards = Guards(script.never, self._stage)
        self._reactions = Reactions(script.whenever, self._stage)
        self._play: Play | None = None
        self._need: Need | None = None
        # How the script will end, once its reactions have said what they had to say.
        self._closing: Finished | None = None
        self._finished: Finished | None = None

    @property
    def asserted(self) -> int:
        """How many assertions there were; ``never`` is one once a message was seen."""
        return self._stage.ledger.asserting + bool(self._script.never and self._guards.seen)

    @property
    def values(self) -> Values:
        """What ``${...}`` stands for where the script is now."""
        return self._stage.values

    @property
    def unread(self) -> tuple[Event, ...]:
        """What came and was neither read nor passed over, oldest first."""
        return self._stage.inbox.all_unread()

    def step(self, now: float, inputs: Iterable[Input] = ()) -> Turn:
        """Take inputs in, in order, and say what is to be done; raises nothing.

        Args:
            now: the loop's clock; every deadline before it has passed.
            inputs: what came since the last call; their stamps are not later than ``now``.
        """
        if self._finished is not None:
            return Turn()
        if self._play is None:
            self._begin(now)
        for item in inputs:
            self._pass_deadlines(item.at)
            if self._is_over():
                break
            self._stage.now = max(self._stage.now, item.at)
            self._take(item)
            self._advance()
        self._pass_deadlines(now)
        return self._turn()

    def _is_over(self) -> bool:
        return self._finished is not None

    def cut(self, now: float) -> StepResult | None:
        """End the script from outside.

        Returns:
            What became of the step that was waiting; None if none was.
        """
        stage = self._stage
        if self._finished is not None or not stage.under_way:
            return None
        step, log = stage.under_way[-1]
        what = log.expected or step.text
        broken = Broken(
            Reason.CANCELLED, f"it was cut short here: {what}", verdict=Verdict.CANCELLED
        )
        self._finished = stage.ledger.write_step(step, log, max(now, stage.now), broken)
        return self._finished.step

    def _turn(self) -> Turn:
        stage = self._stage
        actions = stage.take_actions()
        return Turn(
            actions=() if self._is_over() else actions,
            steps=stage.ledger.take(),
            notes=stage.take_notes(),
            deadline=self._need.deadline if self._need is not None else None,
            finished=self._finished,
        )

    # --- time ---

    def _begin(self, now: float) -> None:
        self._stage.now = max(self._stage.now, now)
        self._play = play_all(self._stage, self._script.steps)
        self._resume(None)
        self._advance()

    def _pass_deadlines(self, until: float) -> None:
        """Let every deadline pass that lies before this time."""
        while (need := self._need) is not None:
            if need.deadline is None or need.deadline >= until:
                return
            self._stage.now = max(self._stage.now, need.deadline)
            self._resume(Unmet.TIMEOUT)
            self._advance()

    def _advance(self) -> None:
        """Go on as far as what is known lets the script go."""
        while (need := self._need) is not None:
            try:
                answer = need.poll()
            except Broken as broken:
                answer = broken
            if answer is None:
                if not need.in_chat or self._stage.ended is None:
                    return
                answer = Unmet.ENDED
            self._resume(answer)

    def _resume(self, answer: object) -> None:
        """Let the step that waits go on to its next need."""
        assert self._play is not None
        try:
            if isinstance(answer, Broken):
                self._need = self._play.throw(answer)
            else:
                self._need = self._play.send(answer)
        except StopIteration:
            self._end(Over(self._stage.ledger.conclude(), at_once=False))
        except Over as over:
            self._end(over)

    def _end(self, over: Over) -> None:
        self._need = None
        if over.at_once or not self._reactions.under_way:
            self._finished = over.finished
        else:
            self._closing = over.finished

    # --- inputs ---

    def _take(self, item: Input) -> None:
        if not isinstance(item, Event):
            self._settle(item)
            return
        try:
            self._hear(item)
        except Over as over:
            self._end(over)

    def _hear(self, event: Event) -> None:
        stage = self._stage
        stage.take_note(event)
        if event.history or is_own(event):
            return
        if isinstance(event, Message):
            stage.count_in(event)
            self._guards.look(event)
        if self._closing is None:
            self._reactions.look(event)
        try:
            stage.inbox.append(event)
        except InboxOverflow as overflow:
            finished = Finished(
                verdict=Verdict.ERROR, reason=Reason.OVERFLOW, message=str(overflow)
            )
            raise Over(finished, at_once=True) from overflow

    def _settle(self, item: Performed | ActionDone | Released) -> None:
        """Take an outcome in: a step waits for it, or a reaction caused it."""
        reactions = self._reactions
        if isinstance(item, Released) or item.number not in reactions.under_way:
            self._stage.outcomes[item.number] = item
            return
        reactions.under_way -= {item.number}
        if isinstance(item.error, SessionClosed):
            # The end of the chat is an event too. It breaks the steps that still need the chat,
            # and is no fault if none does.
            self._stage.note(f"a reaction came too late: {item.error}")
        elif item.error is not None:
            self._end(Over(self._failed_reaction(item.error), at_once=True))
        if self._closing is not None and not self._is_over() and not reactions.under_way:
            self._finished = self._closing

    def _failed_reaction(self, error: BaseException) -> Finished:
        broken = broken_by(error)
        message = self._stage.values.mask(f"a reaction failed: {broken.message}")
        return Finished(verdict=broken.verdict, reason=broken.reason, message=message)
