"""Where a script is played: what it knows of its chat, and what it wants done. Pure."""

from __future__ import annotations

import random
from collections.abc import Mapping

from botkit.bot.comeback import Comeback
from botkit.bot.ledger import Ledger
from botkit.bot.matchers import MatcherError, MatcherSpec
from botkit.bot.offers import Offers
from botkit.bot.playing import Broken, Log
from botkit.bot.script import Step
from botkit.bot.turn import Action, ActionDone, Hold, Perform, Performed, Released, RunAction
from botkit.bot.values import NOTHING, Template, Values, VariableError
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    Command,
    Event,
    Inbox,
    Message,
    SessionEnded,
    SessionRestored,
    Taken,
    Userdata,
    UserdataView,
)
from botkit.interfaces import Match, Matcher
from botkit.results import Reason, Verdict


class Stage:
    """All that the verbs of one script share.

    Args:
        values: what ``${...}`` stands for; grows with captures.
        rng: decides how long typing takes.
        began: the loop's clock from which steps are counted.
        userdata: what is visible before the first event.
        comeback: see below.
        stepped: see below.

    Attributes:
        now: the time of the script, on the loop's clock: of the latest input, or of the latest
            deadline that passed.
        ledger: where results are written.
        inbox: what came and was not read yet.
        userdata: what is visible now.
        ended: the last event of the chat; None while it runs.
        rounds: for each ``repeat`` under way, the messages of its current round.
        under_way: the steps that are being played, from the outermost to the innermost.
        outcomes: of what a step waits for (commands, actions, its release), by their number.
        offers: the buttons that were offered.
        comeback: what must be there again after a reload; None if there is none in the script.
        stepped: no step begins before somebody lets it.
    """

    __slots__ = (
        "_actions",
        "_agents",
        "_notes",
        "_numbers",
        "comeback",
        "ended",
        "inbox",
        "ledger",
        "now",
        "offers",
        "outcomes",
        "rng",
        "rounds",
        "stepped",
        "under_way",
        "userdata",
        "values",
    )

    def __init__(
        self,
        values: Values,
        *,
        rng: random.Random,
        began: float,
        userdata: Mapping[str, str] = NOTHING,
        comeback: Comeback | None = None,
        stepped: bool = False,
    ) -> None:
        self.values = values
        self.rng = rng
        self.now = began
        self.ledger = Ledger(values, began)
        self.inbox = Inbox()
        self.userdata = UserdataView(userdata)
        self.ended: SessionEnded | None = None
        self.rounds: list[list[Message]] = []
        self.under_way: list[tuple[Step, Log]] = []
        self.outcomes: dict[int, Performed | ActionDone | Released] = {}
        self.comeback = comeback
        self.stepped = stepped
        self.offers = Offers()
        self._agents: dict[str, AgentConnected] = {}
        self._numbers = 0
        self._actions: list[Action] = []
        self._notes: list[str] = []

    # --- what holds ---

    def take_note(self, event: Event) -> None:
        """Keep track of what an event changes; history counts here too."""
        if self.comeback is not None:
            self.comeback.note(event, self._agents)
        match event:
            case SessionRestored():
                # Who is still there is told again.
                self._agents.clear()
            case AgentConnected():
                self._agents[_key_of(event)] = event
                self.userdata.merge(event.userdata)
            case AgentDisconnected(party=None):
                self._agents.clear()
            case AgentDisconnected():
                self._agents.pop(_key_of(event), None)
            case SessionEnded():
                self.ended = event
            case Message():
                if event.buttons:
                    self.offers.note(event)
            case Userdata():
                for name, value in event.changes.items():
                    if value is None:
                        self.userdata.forget(name)
                    else:
                        self.userdata.merge({name: value})

    @property
    def agents(self) -> Mapping[str, AgentConnected]:
        """The agents who are in the chat, each with their joining."""
        return self._agents

    def agent_here(self) -> Taken | None:
        """Give the joining of the agent who is in the chat; of the latest if there are several."""
        latest = next(reversed(self._agents.values()), None)
        return None if latest is None else Taken(event=latest)

    def chat_over(self) -> Taken | None:
        """Give the end of the chat if it has ended."""
        return None if self.ended is None else Taken(event=self.ended)

    def count_in(self, message: Message) -> None:
        """Let a message belong to all rounds under way: it came, or was read, in them."""
        for messages in self.rounds:
            if not any(known is message for known in messages):
                messages.append(message)

    # --- values ---

    def fill(self, text: Template) -> str:
        """Fill the values in.

        Raises:
            Broken: one is not there.
        """
        try:
            return text.render(self.values)
        except VariableError as error:
            raise Broken(Reason.VARIABLE, error.message, verdict=Verdict.ERROR) from error

    def fill_all(self, texts: Mapping[str, Template]) -> dict[str, str]:
        """Fill the values into several texts; see :meth:`fill`."""
        return {key: self.fill(text) for key, text in texts.items()}

    def build(self, spec: MatcherSpec) -> Matcher:
        """Make a matcher with the values of now.

        Raises:
            Broken: a value is not there, or makes no matcher.
        """
        try:
            return spec.build(self.values)
        except (VariableError, MatcherError) as error:
            raise Broken(Reason.VARIABLE, error.message, verdict=Verdict.ERROR) from error

    def capture(self, match: Match, masked: tuple[str, ...] = ()) -> None:
        """Turn captures into variables."""
        for name, value in match.captures.items():
            self.values.capture(name, value, mask=name in masked)

    # --- what is wanted ---

    def order(self, command: Command) -> int:
        """Have a command done; its outcome comes back under the number returned."""
        self._numbers += 1
        self._actions.append(Perform(number=self._numbers, command=command))
        return self._numbers

    def call(self, name: str, arguments: Mapping[str, str]) -> int:
        """Have an action run; its outcome comes back under the number returned."""
        self._numbers += 1
        self._actions.append(RunAction(number=self._numbers, name=name, arguments=arguments))
        return self._numbers

    def hold(self, step: Step) -> int:
        """Have a step held; its release comes back under the number returned."""
        self._numbers += 1
        self._actions.append(Hold(number=self._numbers, step=step))
        return self._numbers

    def note(self, text: str) -> None:
        """Write something down."""
        self._notes.append(self.values.mask(text))

    def take_actions(self) -> tuple[Action, ...]:
        """Give what is wanted since the last time."""
        if not self._actions:
            return ()
        actions, self._actions = tuple(self._actions), []
        return actions

    def take_notes(self) -> tuple[str, ...]:
        """Give what was noted since the last time."""
        if not self._notes:
            return ()
        notes, self._notes = tuple(self._notes), []
        return notes


def _key_of(event: Event) -> str:
    party = event.party
    return "" if party is None else party.id or party.name
