"""Peer: aiocometd in any of its three names, playing the benchmark's journey.

usage: aiocometd_journey.py N ROUNDS PORT long-polling|websocket [idle]
"""

import asyncio
import importlib
import importlib.util
import logging
import os
import sys
from types import ModuleType

from measuring import Measurement

CHANNEL = "/service/chatV2/demo"
MESSAGES = 10
LIMIT = 100
REQUEST = {
    "operation": "requestChat",
    "nickname": "Customer",
    "subject": "perf",
    "userData": {"lang": "en", "segment": "gold"},
}


def find_library() -> ModuleType:
    """Import whichever of the three packages this environment has."""
    for name in ("aiocometd_noloop", "aiocometd_ng", "aiocometd"):
        if importlib.util.find_spec(name):
            return importlib.import_module(name)
    raise SystemExit("needs aiocometd-noloop, aiocometd-ng or aiocometd")


class Peer:
    """N sessions at once, each playing the journey R times or holding still."""

    def __init__(self, sessions: int, rounds: int, port: int, transport: str) -> None:
        self.library = find_library()
        self.rounds = rounds
        self.held = 0
        types = self.library.ConnectionType
        self.type = types.WEBSOCKET if transport == "websocket" else types.LONG_POLLING
        kind = f"{self.library.__name__}-{transport}"
        self.measured = Measurement(kind=kind, sessions=sessions, port=port)

    def open_client(self):
        host = os.environ.get("BK_HOST", "127.0.0.1")
        return self.library.Client(f"http://{host}:{self.measured.port}/cometd", self.type)

    async def play(self) -> None:
        async with self.open_client() as client:
            await client.publish(CHANNEL, dict(REQUEST))
            chat = (await client.receive())["data"]["chatId"]
            for n in range(MESSAGES):
                text = f"hello this is message number {n} from the customer"
                line = {"operation": "sendMessage", "chatId": chat, "message": text, "n": n}
                await client.publish(CHANNEL, line)
                answer = (await client.receive())["data"]["messages"][0]["text"]
                if answer != text:
                    raise ValueError(f"sent {text!r}, got {answer!r}")
                self.measured.messages += 1
        self.measured.journeys += 1

    async def play_rounds(self) -> None:
        for _ in range(self.rounds):
            await self.play()

    async def hold(self) -> None:
        async with self.open_client():
            self.held += 1
            await asyncio.sleep(3600)

    async def run(self) -> str:
        tasks = [asyncio.create_task(self.play_rounds()) for _ in range(self.measured.sessions)]
        done, pending = await asyncio.wait(
            tasks, timeout=LIMIT, return_when=asyncio.FIRST_EXCEPTION
        )
        errors = [repr(task.exception())[:200] for task in done if task.exception()]
        extra: dict[str, object] = {}
        if pending:
            extra["TIMEOUT"] = True
        if errors:
            extra["error"] = errors[0]
        return self.measured.report(**extra)

    async def run_idle(self) -> str:
        sessions = self.measured.sessions
        tasks = [asyncio.create_task(self.hold()) for _ in range(sessions)]
        await asyncio.wait(tasks, timeout=min(60, 1.5 + sessions / 100))
        return self.measured.report(
            held=self.held, rss_kb_per=self.measured.kb_per_session("VmRSS")
        )


def main() -> None:
    sessions, rounds, port = (int(argument) for argument in sys.argv[1:4])
    logging.disable(logging.CRITICAL)  # it logs a traceback for each close; not what is measured
    peer = Peer(sessions, rounds, port, sys.argv[4])
    asyncio.run(run_and_stop(peer, idle="idle" in sys.argv[5:]))


async def run_and_stop(peer: Peer, *, idle: bool) -> None:
    line = await (peer.run_idle() if idle else peer.run())
    print(line, flush=True)
    os._exit(0)  # thousands of open sessions would take longer to close than to measure


if __name__ == "__main__":
    main()
