"""Who wants to be notified where: the store "cloud_notify", in the form of Prosody's module.

For each account `{"jid<node": {"jid", "node", "options" (the form, as data), "timestamp",
"resource", "client_id"}}`. How often a service has answered with an error, one after the other, is
in the shared table "push_errors", by the same name. One that has failed too often rests: it has
"retry_after", the time from which on it is tried once more, and "retries", how often that was in
vain; after `push_max_retries` it is removed.
"""

from __future__ import annotations

import time

from prosody_py.api import StanzaError, dataforms, jid
from prosody_py.storage.interface import REMOVE
from prosody_py.xmpp.preserialize import preserialize
from prosody_py.xmpp.writer import serialize

PUBLISH_OPTIONS = "http://jabber.org/protocol/pubsub#publish-options"
MAX_NODE = 1023      # characters
MAX_OPTIONS = 4096   # characters of the form


class Registrations:
    """The registrations of one host."""

    def __init__(self, module):
        self.module = module
        self.store = module.open_store("cloud_notify", "keyval+")
        self.errors = module.shared("push_errors")

    def of(self, username: str) -> dict[str, dict]:
        """Return all of an account."""
        stored = self.store.get(username) or {}
        return {key: info for key, info in stored.items()
                if isinstance(info, dict) and isinstance(info.get("jid"), str)}

    def active(self, username: str) -> dict[str, dict]:
        """Return those of an account that are notified now."""
        now = time.time()
        return {key: info for key, info in self.of(username).items()
                if not now < (info.get("retry_after") or 0) <= now + self.longest()}

    def longest(self) -> float:
        """Return the seconds that a registration rests at most (the clock may be set back)."""
        return self.module.options.push_retry_after

    def add(self, username: str, identifier: str, info: dict) -> None:
        """Keep one; those of the account that are older than the newest few are dropped."""
        known = self.of(username)
        known.pop(identifier, None)
        most = self.module.options.push_max_devices
        oldest = sorted(known, key=lambda name: known[name].get("timestamp") or 0)
        dropped = oldest[:max(0, len(known) + 1 - most)]
        self.store.set_keys(username, {**dict.fromkeys(dropped, REMOVE), identifier: info})
        self.errors.pop(f"{username}/{identifier}", None)
        for name in dropped:
            self.module.log("info", "%s has registered more devices than push_max_devices: %s is "
                            "not notified any more", username, name)
            self.forget_on_sessions(username, name)

    def remove(self, username: str, service: str, node: str | None) -> int:
        """Remove those of a service, or the one with a node; return how many there were."""
        gone = [name for name, info in self.of(username).items()
                if info["jid"] == service and (node is None or (info.get("node") or "") == node)]
        if gone:
            self.store.set_keys(username, dict.fromkeys(gone, REMOVE))
        for name in gone:
            self.errors.pop(f"{username}/{name}", None)
            self.forget_on_sessions(username, name)
        return len(gone)

    def forget_on_sessions(self, username: str, identifier: str) -> None:
        """Let sessions that have registered it know nothing of it."""
        user = self.module.host_object.sessions.get(username)
        for session in list(user.sessions.values()) if user is not None else ():
            if session.extras.get("push_identifier") == identifier:
                for name in ("push_identifier", "push_settings", "first_hibernated_push"):
                    session.extras.pop(name, None)

    def succeeded(self, username: str, identifier: str) -> None:
        """A service has taken a notification."""
        self.errors.pop(f"{username}/{identifier}", None)
        info = self.of(username).get(identifier)
        if info is not None and "retry_after" in info:
            del info["retry_after"], info["retries"]
            self.store.set_key(username, identifier, info)

    def failed(self, username: str, identifier: str, error: StanzaError,
               for_good: bool) -> None:
        """A service has answered with an error: at last the registration rests, or is removed."""
        info = self.of(username).get(identifier)
        if info is None:
            return
        key = f"{username}/{identifier}"
        count = self.errors[key] = (self.errors.get(key) or 0) + 1
        most = self.module.options.push_max_errors
        self.module.log("info", "%s does not take a notification for %s (%d of %d): %s",
                        info["jid"], username, count, most, error)
        if for_good:
            self.end(username, identifier, info)
        elif "retry_after" in info or count >= most:
            self.rest(username, identifier, info)

    def rest(self, username: str, identifier: str, info: dict) -> None:
        """Leave a service alone for a while (section 7.1), unless that was in vain before."""
        options, retries = self.module.options, 0
        if "retry_after" in info:
            retries = info["retries"] + 1
        if retries >= options.push_max_retries or options.push_retry_after == float("inf"):
            self.end(username, identifier, info)
            return
        self.module.log("info", "%s is not notified by way of %s for a while", username, identifier)
        self.errors.pop(f"{username}/{identifier}", None)
        self.store.set_key(username, identifier, {
            **info, "retry_after": int(time.time() + options.push_retry_after),
            "retries": retries})

    def end(self, username: str, identifier: str, info: dict) -> None:
        """Notify a service no more."""
        self.module.log("info", "%s is not notified by way of %s any more", username, identifier)
        self.remove(username, info["jid"], info.get("node") or "")


def read(session, enable) -> tuple[str, dict]:
    """Return the name and the content of the registration that an <enable/> asks for.

    Raises StanzaError.
    """
    service = jid.prep(enable.attr.get("jid") or "")
    if not enable.attr.get("jid"):
        raise StanzaError("bad-request", "The push service is missing: jid", type="modify")
    if service is None:
        raise StanzaError("jid-malformed", "The address of the push service is not valid")
    if service in (session.bare_jid, session.full_jid):
        raise StanzaError("not-acceptable", "An account cannot be its own push service")
    node = enable.attr.get("node") or ""
    if len(node) > MAX_NODE:
        raise StanzaError("not-acceptable", "The node is too long")
    x = enable.get_child("x", dataforms.XMLNS)
    if x is not None:
        if dataforms.form_type(x) != PUBLISH_OPTIONS:
            raise StanzaError("bad-request", "The form must be one of publish-options")
        if len(serialize(x)) > MAX_OPTIONS:
            raise StanzaError("not-acceptable", "The publish options are too long")
    info = {"jid": service, "node": node, "timestamp": int(time.time()),
            "resource": session.resource}
    if x is not None:
        info["options"] = preserialize(x)
    client = session.extras.get("client_id")
    if isinstance(client, str):
        info["client_id"] = client
    return f"{service}<{node}", info
