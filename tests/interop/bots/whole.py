"""The same chat as whole.yaml, held by a bot in Python."""

import botkit
from botkit import AgentConnected, Message, Session, equals
from botkit.interfaces import ConnectOptions

LINES = [f"message {n}" for n in (1, 2, 3)]


@botkit.bot(
    connect=ConnectOptions(service="support", nickname="Grace", userdata={"Segment": "gold"})
)
class Whole:
    """Collects in a hook what is said, and compares it when the chat is over."""

    def __init__(self) -> None:
        self.own: list[str] = []
        self.agent: list[str] = []

    @botkit.hookimpl
    def on_message(self, event: Message) -> None:
        (self.own if event.own else self.agent).append(event.text)

    async def run(self, session: Session) -> None:
        await session.wait_for(AgentConnected, within=20)
        await session.expect_next(equals("Hello, how can I help?"), within=20)
        survey = await session.get_userdata("SurveyURL")
        assert survey["SurveyURL"].startswith("https://survey.example.com/chat-")
        for text in LINES:
            await session.send_message(text)
            await session.expect_next(equals(f"You said: {text}"), within=20)

    @botkit.hookimpl
    def on_session_ended(self) -> None:
        answers = [f"You said: {text}" for text in LINES]
        assert self.own == LINES, self.own
        assert self.agent == ["Hello, how can I help?", *answers], self.agent
