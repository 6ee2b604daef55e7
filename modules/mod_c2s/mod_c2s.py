"""Client connections: XML streams on the c2s ports (RFC 6120 section 4, RFC 7590, XEP-0368).

Data and owner: each connection has one Session, kept in the shared table "sessions" (connection ->
session), so that a reload of this module finds them all. The stream's parser belongs to the
session. What a peer sends is worked off in the connection's worker, one element after the other;
a broken stream gets its error and only that connection ends.
"""

from __future__ import annotations

from collections import Counter

import gevent

from prosody_py.api import Event, Options, StreamError, boolean, hook, integer, period, size
from prosody_py.concurrency import workers
from prosody_py.concurrency.timer import Timer
from prosody_py.events import filters
from prosody_py.net.peers import network_of
from prosody_py.sessions import lifecycle

from .stream import ClientSession

GLOBAL = True
GOODBYE = 5  # seconds that the connections may take to drain when the server stops
FAREWELL = 1  # seconds that the clients may take after that to close their side


class Config(Options):
    """Options of client connections; the ports are `c2s_ports` and `c2s_direct_tls_ports`."""

    c2s_require_encryption = boolean(True, doc="Refuse to log clients in without TLS.")
    c2s_stanza_size_limit = size("256 KB", min="10 KB", doc="Largest element of a client.")
    c2s_unauthed_stanza_size_limit = size(
        "16 KB", min="1 KB", doc="Largest element of a client that has not logged in yet.")
    c2s_timeout = period("5 minutes", min="1 second",
                         doc="Time that a client may take to log in and bind a resource.")
    c2s_close_timeout = period("5 seconds", min="0 seconds",
                               doc="Time that a client may take to close its side of a stream.")
    c2s_read_timeout = period("14 minutes", min="1 second",
                              doc="Silence after which a client is asked for, or dropped.")
    c2s_connections_per_address = integer(
        200, min=1, doc="Connections that one address may have at a time (IPv6: one /64).")
    c2s_max_send_buffer = size("8 MB", min="64 KB",
                               doc="Output that may wait for a client that does not read.")


class ClientListener:
    """Receives what happens on the connections of clients."""

    def __init__(self, module):
        self.module = module
        self.server = module.server
        self.sessions = module.shared("sessions")
        self.options = module.options
        self.per_address = Counter(network_of(conn.ip()) for conn in self.sessions)

    def admit(self, address: str) -> bool:
        """Whether one more connection of `address` is welcome."""
        network = network_of(address)
        if self.per_address[network] < self.options.c2s_connections_per_address:
            return True
        if not self.per_address[network]:
            del self.per_address[network]
        self.module.log("info", "Refused a connection from %s: it has %d already "
                        "(c2s_connections_per_address)", address, self.per_address[network])
        return False

    def onconnect(self, conn) -> None:
        """A connection is new, or its TLS handshake is done."""
        session = conn.session
        if session is None:
            session = self.onaccept(conn)
        if conn.secure:
            session.secure = session.encrypted = True
            session.log.debug("TLS is established")

    def onaccept(self, conn):
        """A connection is new: it counts, and has to log in in time, before any handshake."""
        conn.linger = self.options.c2s_close_timeout
        session = conn.session = ClientSession(conn, self)
        self.sessions[conn] = session
        self.per_address[network_of(conn.ip())] += 1
        session.log.info("Client connected from %s", conn.ip())
        session.timer = Timer(self.options.c2s_timeout, login_timeout, session)
        filters.initialize(session)
        return session

    def onincoming(self, conn, data: bytes) -> None:
        """The peer has sent bytes."""
        session = conn.session
        if session is None or session.conn is not conn:  # it goes on over another one
            return
        if session.filters is not None:
            data = filters.run(session, "bytes/in", data)
            if data is None:
                return
        try:
            session.data(data)
        except Exception:
            session.log.exception("Error while working off what the client has sent")
            session.close("internal-server-error")

    def ondisconnect(self, conn, reason: str | None) -> None:
        """The connection is gone."""
        network = network_of(conn.ip())
        self.per_address[network] -= 1
        if self.per_address[network] <= 0:
            del self.per_address[network]
        session = self.sessions.pop(conn, None)
        if session is None or session.conn not in (conn, None):  # it goes on without this one
            return
        session.stop_timer()
        session.log.info("Client disconnected: %s", reason or "stream closed")
        host = session.host_object
        if host is not None and not session.destroyed:
            # Stream management keeps a session without a connection (XEP-0198).
            event = Event(session=session, reason=reason)
            if host.events.fire_event("c2s-disconnected", event) is not None:
                return
        if session.conn is conn:
            session.conn = None
            lifecycle.destroy(session, reason)

    def adopt(self, session) -> None:
        """Serve a session over a connection that was another session's."""
        if session.conn in self.sessions:
            self.sessions[session.conn] = session

    def onpredrain(self, conn) -> None:
        """What is queued is about to be written; a handler may add to it."""
        self._drain("c2s-pre-ondrain", conn.session)

    def ondrain(self, conn) -> None:
        """Everything that was queued has been written."""
        self._drain("c2s-ondrain", conn.session)

    @staticmethod
    def _drain(event: str, session) -> None:
        host = session.host_object if session is not None else None
        if host is not None and event in host.events.index:
            workers.run(host.events.fire_event, event, Event(session=session))

    def onreadtimeout(self, conn) -> bool | None:
        """The peer has been silent; true keeps the connection."""
        session = conn.session
        if session is None:
            return None
        host = session.host_object
        if host is None or not host.events.fire_event("c2s-read-timeout", Event(session=session)):
            session.close("connection-timeout", "Nothing was heard for too long")
        return True


def login_timeout(_now: float, session) -> None:
    """The client took too long to log in."""
    session.timer = None
    session.close("connection-timeout", "Logging in took too long")


def load(module):
    """Offer the ports, and take over the connections of an instance before this one."""
    listener = module.listener = ClientListener(module)
    common = {"listener": listener, "admit": listener.admit,
              "max_send_buffer": module.options.c2s_max_send_buffer,
              "read_timeout": module.options.c2s_read_timeout}
    module.provides("net", {"name": "c2s", "default_port": 5222, "encryption": "starttls",
                            **common})
    module.provides("net", {"name": "c2s_direct_tls", "encryption": "ssl",
                            "alpn": "xmpp-client", **common})


def save(module):
    """Return what tells the sessions that are this module's, with a connection or without."""
    return {"class": ClientSession}


def restore(module, saved):
    """Serve the connections that are there with this instance's code."""
    before = saved.get("class", ())
    for session in list(module.server.full_sessions.values()):
        if isinstance(session, before):
            session.listener, session.__class__ = module.listener, ClientSession
    for conn, session in list(module.listener.sessions.items()):
        conn.listener = session.listener = module.listener
        session.__class__ = ClientSession


def add_host(module):
    """Serve clients on a host."""
    module.hook("c2s-session-updated", lambda event: module.parent.listener.adopt(event.session),
                1000)
    module.hook("resource-bind", lambda event: event.session.bound()
                if isinstance(event.session, ClientSession) else None, 1000)


@hook("user-password-changed")
def log_out(module, event):
    """Close the account's other streams: who was let in by the old password must log in again."""
    close_streams(module, event, "The password was changed", event.resource)


@hook("user-disabled")
@hook("user-deleted")
def turn_out(module, event):
    """Close all streams of an account, also those that have not bound a resource yet."""
    close_streams(module, event, "The account is not there any more")


@hook("user-role-changed")
def role_changed(module, event):
    """Close the streams that were given the role before, and have not bound a resource yet."""
    close_streams(module, event, "The role of the account has changed", condition="reset")


def close_streams(module, event, why: str, but: str | None = None,
                  condition: str = "not-authorized") -> None:
    """Close the streams of an account, but for the one of a resource."""
    for session in list(module.listener.sessions.values()):
        if (session.username == event.username and session.host == event.host
                and (but is None or session.resource != but)):
            session.close(condition, why)


@hook("host-deactivating")
def host_gone(module, event):
    """Close the streams of a host that goes, also those that are still logging in."""
    for session in list(module.listener.sessions.values()):
        if session.host_object is event.host_session:
            session.close("host-gone", event.reason)


@hook("server-stopping", priority=-80)
def say_goodbye(module, event):
    """Close all streams, so that clients know why, and wait until that is written."""
    sessions = module.listener.sessions
    reason = StreamError("system-shutdown", event.reason)
    for conn, session in list(sessions.items()):
        if session.conn is conn:  # else it waits for its client, also over the next start
            session.close(reason)
    with gevent.Timeout(GOODBYE, False):
        while any(conn.pending for conn in sessions):
            gevent.sleep(0.01)
    with gevent.Timeout(FAREWELL, False):
        while sessions:
            gevent.sleep(0.01)
    for conn in list(sessions):
        conn.destroy(str(reason))
