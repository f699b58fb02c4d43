"""The guest API of a simulator, put together."""

from __future__ import annotations

import random
from collections.abc import Callable

from botkit.simulator.centre import Centre
from botkit.simulator.desk import Later
from botkit.simulator.faults import Faults
from botkit.simulator.guest_desk import GuestDesk
from botkit.simulator.guest_door import GuestDoor
from botkit.simulator.guest_file_desk import GuestFileDesk
from botkit.simulator.guest_files import GuestFiles
from botkit.simulator.guest_lines import GuestLines
from botkit.simulator.guest_sessions import GuestSessions
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_speech import GuestSpeech
from botkit.simulator.guest_tokens import GuestTokens
from botkit.simulator.guest_web import GuestWeb
from botkit.simulator.reception import Reception

__all__ = ["Guests"]


class Guests:
    """Makes the parts of the guest API, which know each other by their arguments alone.

    Args:
        settings: what guests may do.
        centre: the chats.
        reception: opens them.
        faults: what goes wrong.
        rng: where keys and secrets come from.
        clock: the loop's clock.
        epoch: the calendar time, epoch seconds, at which the clock said 0.
        later: runs something after a while.
        on_change: called when a deadline may have moved.

    Attributes:
        sessions: all that there are.
        files: of all guests.
        tokens: what is signed here.
        file_desk: takes and gives the files.
        desk: where sessions begin and end.
        web: where all requests of guests come in.
    """

    def __init__(
        self,
        *,
        settings: GuestSettings,
        centre: Centre,
        reception: Reception,
        faults: Faults,
        rng: random.Random,
        clock: Callable[[], float],
        epoch: float,
        later: Later,
        on_change: Callable[[], None],
    ) -> None:
        self.sessions = GuestSessions(settings)
        self.files = GuestFiles(settings, rng)
        self.tokens = GuestTokens(rng, lambda: epoch + clock())
        lines = GuestLines(
            settings=settings, faults=faults, later=later, settle=self.sessions.settle
        )
        speech = GuestSpeech(
            centre=centre,
            settings=settings,
            lines=lines,
            files=self.files,
            reception=reception,
            faults=faults,
            clock=clock,
            new_id=self.tokens.new_subject,
        )
        self.file_desk = GuestFileDesk(
            files=self.files, sessions=self.sessions, centre=centre, clock=clock, epoch=epoch
        )
        self.desk = GuestDesk(
            centre=centre,
            settings=settings,
            sessions=self.sessions,
            speech=speech,
            files=self.file_desk,
            tokens=self.tokens,
            faults=faults,
            clock=clock,
            epoch=epoch,
        )
        door = GuestDoor(desk=self.desk, settings=settings, faults=faults, on_change=on_change)
        self.web = GuestWeb(
            desk=self.desk,
            door=door,
            files=self.files,
            file_desk=self.file_desk,
            tokens=self.tokens,
            settings=settings,
            faults=faults,
            clock=clock,
        )
