"""Bots in Python: hooks react, ``run`` holds the conversation."""

import botkit
from botkit import AgentConnected, AgentDisconnected, Message, Session, contains


@botkit.bot(title="A bot in Python holds a whole chat", tags=["quick"])
class Greeter:
    """Counts what the agent says in a hook, and checks it in the script."""

    def __init__(self) -> None:
        self.lines = 0

    @botkit.hookimpl
    def on_message(self, event: Message) -> None:
        self.lines += not event.own

    async def run(self, session: Session) -> None:
        await session.wait_for(AgentConnected, within=30)
        await session.expect(contains("how can I help"), within=20)
        await session.send_typing()
        await session.send_message("Hi there")
        reply = await session.expect(contains("hi there"), within=20, slow_after=5)
        assert reply.party is not None
        await session.set_userdata({"CoBrowseSessionId": "123-456"})
        assert (await session.get_userdata("CoBrowseSessionId"))["CoBrowseSessionId"] == "123-456"
        assert self.lines >= 2, f"the hook has seen {self.lines} lines"


@botkit.bot(title="A bot that only reacts, and leaves when it was answered", tags=["quick"])
class Reactor:
    """Has no script: it lives as long as its chat."""

    @botkit.hookimpl
    async def on_agent_connected(self, session: Session) -> None:
        await session.send_message("Is anybody there?")
        await session.expect(contains("anybody there"), within=20)
        await session.leave()

    @botkit.hookimpl
    async def on_agent_disconnected(self, event: AgentDisconnected) -> None:
        assert event.party is not None
