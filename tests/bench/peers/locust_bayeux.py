"""Peer: Locust's FastHttpUser playing the journey with raw Bayeux posts.

The connect loop runs in a second greenlet. Library mode, no user interface.

usage: BK_N=N BK_ROUNDS=R BK_PORT=PORT python locust_bayeux.py
"""

# ruff: noqa: E402, I001 (gevent has to patch the standard library before anything imports it)
import gevent.monkey

gevent.monkey.patch_all()

import os
import time

import gevent
from gevent.queue import Queue
from locust import FastHttpUser, constant, task
from locust.env import Environment

from measuring import Measurement

SESSIONS, ROUNDS, PORT = (int(os.environ[name]) for name in ("BK_N", "BK_ROUNDS", "BK_PORT"))
CHANNEL = "/service/chatV2/demo"
MESSAGES = 10
LIMIT = 100
REQUEST = {
    "operation": "requestChat",
    "nickname": "Customer",
    "subject": "perf",
    "userData": {"lang": "en", "segment": "gold"},
}
measured = Measurement(kind="locust-fasthttp", sessions=SESSIONS, port=PORT)


class Customer(FastHttpUser):
    wait_time = constant(0)
    host = f"http://127.0.0.1:{PORT}"
    concurrency = 4

    def on_start(self):
        self.last_id = 0
        self.rounds = 0

    def post(self, channel, name, **members):
        """Send one message; queue the events of the answer and return its reply."""
        self.last_id += 1
        message = {"channel": channel, "id": str(self.last_id), **members}
        with self.client.post("/cometd", json=[message], name=name, catch_response=True) as answer:
            received = answer.json()
        reply = None
        for each in received:
            if each["channel"].startswith("/meta/"):
                reply = each
            elif "data" in each:
                self.events.put(each["data"])
        return reply

    def handshake(self):
        reply = self.post(
            "/meta/handshake",
            "handshake",
            version="1.0",
            supportedConnectionTypes=["long-polling"],
        )
        self.client_id = reply["clientId"]

    def connect(self, **members):
        return self.post(
            "/meta/connect",
            "connect",
            clientId=self.client_id,
            connectionType="long-polling",
            **members,
        )

    def publish(self, name, data):
        self.post(CHANNEL, name, clientId=self.client_id, data=data)

    def keep_connected(self):
        while not self.leaving:
            reply = self.connect()
            if not reply or not reply["successful"]:
                return

    @task
    def journey(self):
        self.rounds += 1
        if self.rounds > ROUNDS:
            gevent.sleep(3600)
        self.events = Queue()
        self.leaving = False
        self.handshake()
        self.connect(advice={"timeout": 0})
        connect_loop = gevent.spawn(self.keep_connected)
        self.publish("requestChat", REQUEST)
        chat = self.events.get()["chatId"]
        for n in range(MESSAGES):
            self.say(chat, n)
        self.leaving = True
        self.post("/meta/disconnect", "disconnect", clientId=self.client_id)
        connect_loop.join()
        measured.journeys += 1

    def say(self, chat, n):
        text = f"hello this is message number {n} from the customer"
        line = {"operation": "sendMessage", "chatId": chat, "message": text, "n": n}
        self.publish("send", line)
        answer = self.events.get()["messages"][0]["text"]
        if answer != text:
            raise ValueError(f"sent {text!r}, got {answer!r}")
        measured.messages += 1


def main():
    environment = Environment(user_classes=[Customer])
    environment.create_local_runner().start(SESSIONS, spawn_rate=SESSIONS)
    end = time.monotonic() + LIMIT
    while measured.journeys < SESSIONS * ROUNDS and time.monotonic() < end:
        gevent.sleep(0.02)
    errors = sum(error.occurrences for error in environment.stats.errors.values())
    print(measured.report(errors=errors), flush=True)
    os._exit(0)  # its users sleep for an hour by now


if __name__ == "__main__":
    main()
