"""The desk for guests: sessions are begun, taken up again and ended here. Pure.

Theory of operation. A socket is bound to the session that it configured, and may do nothing before.
Each request is answered at once and in order; what else happens in a conversation is sent by
:class:`GuestLines`. What a bound guest says is the business of :class:`GuestSpeech`.

A session ends by its own means: ``closeSession`` for all connections and ``Clear`` end the
conversation, as do the agent and silence; a lost socket never does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from botkit.bayeux.messages import JSON
from botkit.chat import EndedBy
from botkit.simulator.centre import Centre
from botkit.simulator.faults import GUEST, Faults, Point
from botkit.simulator.guest_bodies import body_of, is_remembered, presence
from botkit.simulator.guest_file_desk import GuestFileDesk
from botkit.simulator.guest_sessions import GuestSession, GuestSessions, GuestSocket
from botkit.simulator.guest_settings import GuestSettings, SameToken
from botkit.simulator.guest_speech import GuestSpeech
from botkit.simulator.guest_tokens import GuestTokens, Use
from botkit.simulator.guest_wire import (
    Code,
    Frame,
    GuestError,
    GuestRequest,
    push,
    refusal,
    response,
    too_many_requests,
)

__all__ = ["GuestDesk"]

NOT_CONFIGURED = "Turn on the Feature Toggle or fix the configuration."
"""Source: the tests of the Kotlin SDK."""
SIGNED_IN = "signedIn"


class GuestDesk:
    """Serves the guests of one contact centre.

    Args:
        centre: the chats.
        settings: what is allowed.
        sessions: of the guests.
        speech: takes what guests say.
        files: takes what guests want with files.
        tokens: for the history, and of those who have signed in.
        faults: what goes wrong.
        clock: the loop's clock.
        epoch: the calendar time, epoch seconds, at which the clock said 0.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        settings: GuestSettings,
        sessions: GuestSessions,
        speech: GuestSpeech,
        files: GuestFileDesk,
        tokens: GuestTokens,
        faults: Faults,
        clock: Callable[[], float],
        epoch: float,
    ) -> None:
        self._centre = centre
        self._settings = settings
        self._sessions = sessions
        self._speech = speech
        self._files = files
        self._tokens = tokens
        self._faults = faults
        self._clock = clock
        self._epoch = epoch
        self._bound: dict[GuestSocket, GuestSession] = {}

    @property
    def sockets(self) -> int:
        """Count the sockets that have configured a session."""
        return len(self._bound)

    # --- sockets ---

    def receive(self, socket: GuestSocket, request: GuestRequest) -> None:
        """Do what a guest asks for, and answer."""
        try:
            act = ACTIONS.get(request.action)
            if act is None:
                raise GuestError(Code.BAD_REQUEST, f"there is no action {request.action!r:.60}")
            act(self, socket, request)
        except GuestError as error:
            socket.send(refusal(error, request.tracing_id))

    def leave(self, socket: GuestSocket) -> None:
        """Take note that a socket is gone; its session lives on."""
        session = self._bound.pop(socket, None)
        if session is not None:
            session.sockets.remove(socket)
            self._sessions.settle(session)

    def _bind(self, socket: GuestSocket, session: GuestSession) -> None:
        if self._bound.get(socket) is not session:
            self.leave(socket)
            self._bound[socket] = session
            session.sockets.append(socket)
            session.root = socket.root
            self._sessions.settle(session)

    def _session_of(self, socket: GuestSocket, request: GuestRequest) -> GuestSession:
        """Find the session that a socket is bound to.

        Raises:
            GuestError: there is none, or none of this token.
        """
        session = self._bound.get(socket)
        if session is not None and session.token == request.token:
            self._sessions.touch(session, self._clock())
            return session
        if self._sessions.has_expired(request.token):
            raise GuestError(Code.SESSION_EXPIRED, "the session has expired")
        raise GuestError(Code.SESSION_NOT_FOUND, "this socket has configured no such session")

    def _close(self, socket: GuestSocket, reason: str = "") -> None:
        """Close somebody's socket, and say so first."""
        body: dict[str, JSON] = {"reason": reason} if reason else {}
        socket.send(push("ConnectionClosedEvent", body))
        self.leave(socket)
        socket.close(1000, "the connection is closed by the service")

    # --- beginning ---

    def _configure_guest(self, socket: GuestSocket, request: GuestRequest) -> None:
        self._configure(socket, request, None)

    def _configure_customer(self, socket: GuestSocket, request: GuestRequest) -> None:
        """Begin a session for somebody who has signed in."""
        data = request.raw.get("data")
        code = data.get("code") if isinstance(data, dict) else None
        if not isinstance(code, str):
            raise GuestError(Code.MISSING_PARAMETER, "data.code is missing")
        if not self._settings.auth:
            raise GuestError(Code.FORBIDDEN, NOT_CONFIGURED)
        self._configure(socket, request, self._tokens.read(code, Use.CUSTOMER).subject)

    def _configure(self, socket: GuestSocket, request: GuestRequest, subject: str | None) -> None:
        deployment, start_new = request.text("deploymentId"), request.flag("startNew")
        token = request.token
        if not self._settings.serves(deployment):
            raise GuestError(Code.NOT_FOUND, "there is no such deployment")
        if len(token) > self._settings.max_token:
            raise GuestError(Code.BAD_REQUEST, "the token is too long")
        if self._sessions.has_expired(token) and not start_new:
            raise GuestError(Code.SESSION_EXPIRED, "the session has expired")
        old = self._sessions.get(token)
        session, cleared = self._resumed(old, subject, start_new), False
        if session is None:
            cleared = old is not None and subject is not None and old.subject is None
            session = self._begin(socket, token, deployment, subject, old)
        self._bind(socket, session)
        self._sessions.touch(session, self._clock())
        if self._settings.same_token is SameToken.CLOSE_OLDER:
            for other in [other for other in session.sockets if other is not socket]:
                self._close(other)
        body = self._session_body(session, new=session is not old)
        if cleared:
            body["clearedExistingSession"] = True
        socket.send(response("SessionResponse", body, request.tracing_id))

    def _resumed(
        self, old: GuestSession | None, subject: str | None, start_new: bool
    ) -> GuestSession | None:
        """Find the session to be taken up again; None if a new one must begin.

        That ``startNew`` changes nothing while the old session may be written to is inferred.
        """
        if old is None or (start_new and old.read_only):
            return None
        if subject is None and old.subject is not None:
            raise GuestError(Code.CANNOT_DOWNGRADE, "Cannot downgrade to unauthenticated session")
        if subject is not None and old.subject != subject:
            if old.subject is None and not self._settings.session_upgrade:
                return None
            self._sign_in(old, subject)
        return old

    def _sign_in(self, session: GuestSession, subject: str) -> None:
        was_guest = session.subject is None
        self._sessions.sign_in(session, subject)
        if was_guest:
            body: dict[str, JSON] = {
                "id": self._tokens.new_subject(),
                "direction": "Inbound",
                "type": "Event",
                "events": presence("SignIn"),
            }
            for socket in session.sockets:
                socket.send(push("StructuredMessage", body))

    def _begin(
        self,
        socket: GuestSocket,
        token: str,
        deployment: str,
        subject: str | None,
        old: GuestSession | None,
    ) -> GuestSession:
        """Begin a session, in place of the one that had the token."""
        if old is not None:
            self._end_conversation(old)
            reason = SIGNED_IN if subject is not None and old.subject is None else ""
            for other in [other for other in old.sockets if other is not socket]:
                self._close(other, reason)
        return self._sessions.begin(token, deployment, subject, now=self._clock())

    def _session_body(self, session: GuestSession, *, new: bool) -> dict[str, JSON]:
        settings = self._settings
        return {
            "connected": not session.closed,
            "newSession": new,
            "readOnly": session.read_only,
            "maxCustomDataBytes": settings.max_custom_data_bytes,
            "durationSeconds": int(settings.duration),
            "expirationDate": self._expires(session),
            "allowedMedia": {
                "inbound": {
                    "fileTypes": [{"type": kind} for kind in settings.file_types],
                    "maxFileSizeKB": settings.max_file_kb,
                }
            },
            "blockedExtensions": list(settings.blocked_extensions),
        }

    def _expires(self, session: GuestSession) -> int:
        return int(self._epoch + session.last_active + self._settings.duration)

    # --- going on ---

    def _speak(self, socket: GuestSocket, request: GuestRequest) -> None:
        session = self._session_of(socket, request)
        wait = session.wait_for_rate(self._settings, self._clock())
        if wait > 0:
            socket.send(too_many_requests(wait, request.tracing_id))
            return
        message = request.message()
        if message.presence == "Clear":
            self._clear(session)
        else:
            self._speech.take(session, socket, message, request.tracing_id)

    def _echo(self, socket: GuestSocket, request: GuestRequest) -> None:
        session = self._session_of(socket, request)
        metadata: dict[str, JSON] = {
            "durationSeconds": str(int(self._settings.duration)),
            "expirationDate": str(self._expires(session)),
        }
        body: dict[str, JSON] = {
            "id": self._tokens.new_subject(),
            "type": "Text",
            "text": request.message().text,
            "direction": "Inbound",
            "metadata": metadata,
        }
        socket.send(response("StructuredMessage", body, request.tracing_id))

    def _give_jwt(self, socket: GuestSocket, request: GuestRequest) -> None:
        session = self._session_of(socket, request)
        lifetime = self._settings.jwt_lifetime
        jwt, expires = self._tokens.write(session.token, Use.GUEST, lifetime=lifetime)
        body: dict[str, JSON] = {"jwt": jwt, "exp": expires}
        socket.send(response("JwtResponse", body, request.tracing_id))

    def _handle_file(self, socket: GuestSocket, request: GuestRequest) -> None:
        session = self._session_of(socket, request)
        socket.send(self._files.answer(session, request, root=socket.root))

    # --- ending ---

    def _close_session(self, socket: GuestSocket, request: GuestRequest) -> None:
        """Close all connections, and the conversation with them; or this one alone.

        What a service answers to a guest who closes this connection alone is not public.
        """
        session = self._session_of(socket, request)
        if request.flag("closeAllConnections"):
            if self._is_kept_open(session):
                return
            self._end_conversation(session)
            session.closed = session.read_only = True
            for other in [other for other in session.sockets if other is not socket]:
                self._close(other)
        body = self._session_body(session, new=False)
        body["connected"] = False
        socket.send(response("SessionResponse", body, request.tracing_id))
        if not session.closed:
            self.leave(socket)

    def _clear(self, session: GuestSession) -> None:
        """Erase a session, its history included."""
        if not self._settings.clear:
            text = "Presence events Conversation Clear are not supported"
            raise GuestError(Code.FORBIDDEN, text)
        if self._is_kept_open(session):
            return
        self._end_conversation(session)
        self._sessions.drop(session.token)
        for socket in tuple(session.sockets):
            socket.send(push("SessionClearedEvent", {}))
            self._close(socket)

    def _is_kept_open(self, session: GuestSession) -> bool:
        service = self._settings.service_of(session.deployment)
        fault = self._faults.strike(
            Point.OPERATION, ("disconnect",), service=service, customer=session.token, wire=GUEST
        )
        return fault is not None and fault.name == "no_chat_end"

    def _end_conversation(self, session: GuestSession, by: EndedBy = EndedBy.CUSTOMER) -> None:
        conversation = session.open_conversation
        if conversation is not None:
            self._centre.end(conversation.chat, by, now=self._clock())

    def sign_out(self, subject: str) -> None:
        """Let somebody who has signed in go; the conversation stays open."""
        self._tokens.revoke(subject)
        session = self._sessions.by_subject(subject)
        for socket in tuple(session.sockets) if session is not None else ():
            socket.send(push("LogoutEvent", {}))
            self.leave(socket)

    # --- silence ---

    def next_deadline(self) -> float | None:
        """Tell when the next session expires."""
        return self._sessions.next_deadline()

    def expire(self, *, now: float) -> None:
        """End the sessions whose time is up."""
        for session in self._sessions.take_expired(now):
            self._part_with(session)

    def _part_with(self, session: GuestSession) -> None:
        """Tell the guest of a session that it has expired, and end the conversation."""
        for socket in tuple(session.sockets):
            socket.send(response("SessionExpiredEvent", {}, None))
            self.leave(socket)
        self._end_conversation(session, EndedBy.SERVICE)

    # --- what faults do ---

    def lose_session(self, socket: GuestSocket) -> None:
        """Forget the session of a socket, as a service that was restarted; its chat stays open."""
        session = self._bound.get(socket)
        if session is not None:
            self._sessions.drop(session.token)
            for bound in tuple(session.sockets):
                self.leave(bound)

    def expire_session(self, socket: GuestSocket) -> None:
        """Let the session of a socket expire now."""
        session = self._bound.get(socket)
        if session is not None:
            self._sessions.expire(session)
            self._part_with(session)

    def make_read_only(self, socket: GuestSocket) -> None:
        """Let the session of a socket take no more messages."""
        session = self._bound.get(socket)
        if session is not None:
            session.read_only = True

    def close_connection(self, socket: GuestSocket) -> None:
        """Close a socket, as if another one of the same guest had asked for it."""
        self._close(socket)

    # --- history ---

    def history(self, jwt: str, page: int, size: int) -> Frame:
        """Write a page of what was said; page 1 begins with the latest.

        Raises:
            GuestError: the token is none for this.
        """
        claims = self._tokens.read(jwt, Use.GUEST, Use.CUSTOMER)
        by_token = claims.use == Use.GUEST
        find = self._sessions.get if by_token else self._sessions.by_subject
        session = find(claims.subject)
        bodies = self._bodies_of(session) if session is not None else []
        bodies.reverse()
        return {
            "entities": bodies[(page - 1) * size : page * size],
            "pageSize": size,
            "pageNumber": page,
            "total": len(bodies),
            "pageCount": -(-len(bodies) // size),
        }

    def _bodies_of(self, session: GuestSession) -> list[JSON]:
        at_end = self._settings.at_chat_end
        bodies = (
            body_of(
                conversation.chat,
                position,
                joined=conversation.joined,
                at_end=at_end,
                root=session.root,
            )
            for conversation in session.conversations
            for position, entry in enumerate(conversation.chat.log)
            if is_remembered(entry)
        )
        return [body for body in bodies if body is not None]


def unavailable(desk: GuestDesk, socket: GuestSocket, request: GuestRequest) -> None:
    """Refuse what the sources name without saying what it does."""
    raise GuestError(Code.FEATURE_UNAVAILABLE, f"{request.action} is not available here")


Act = Callable[[GuestDesk, GuestSocket, GuestRequest], None]

ACTIONS: Mapping[str, Act] = MappingProxyType(
    {
        "configureSession": GuestDesk._configure_guest,
        "configureAuthenticatedSession": GuestDesk._configure_customer,
        "onMessage": GuestDesk._speak,
        "echo": GuestDesk._echo,
        "onAttachment": GuestDesk._handle_file,
        "getAttachment": GuestDesk._handle_file,
        "deleteAttachment": GuestDesk._handle_file,
        "getJwt": GuestDesk._give_jwt,
        "closeSession": GuestDesk._close_session,
        "getConfiguration": unavailable,
        "disconnectCustomer": unavailable,
        "resumeToken": unavailable,
    }
)
