"""The journey of ``journey.bot.yaml``, scripted by hand on the session API."""

import botkit
from botkit import AgentConnected, Session, equals
from botkit.interfaces import ConnectOptions, Limits

LINE = "hello this is a message from the customer"


@botkit.bot(
    connect=ConnectOptions(
        service="demo",
        nickname="Customer",
        subject="perf",
        userdata={"lang": "en", "segment": "gold"},
    ),
    limits=Limits(whole_chat=300.0),
)
class ByHand:
    async def run(self, session: Session) -> None:
        await session.wait_for(AgentConnected, within=120)
        for _ in range(10):
            await session.send_message(LINE)
            await session.expect(equals(LINE), within=120)
