"""XEP-0357: Push Notifications. Tells a client's push service that there is something to fetch.

Data and owner: clients register services (registrations); for an account that is not there, a
session that waits for its client or does not acknowledge (stream management), and a registered
device that is away while another one is there (by the archive), a notification is sent (sending).
A notification is for what somebody should see, not for the state of a chat; a request to see the
user's presence counts, too. Without further options it says no more than how many there are. A
service that says that it knows nothing of the registration is not notified any more; one that fails
`push_max_errors` times in a row is tried again a day later, and a few times more.

Names of options, events, fields of sessions and the store are those of Prosody's community.
"""

from __future__ import annotations

import time

from prosody_py.api import (
    Event,
    Options,
    StanzaError,
    boolean,
    bystander,
    hook,
    integer,
    iq,
    jid,
    period,
    stanza,
    string,
)
from prosody_py.hosts.roster import load_roster
from prosody_py.xmpp import importance
from prosody_py.xmpp.dataforms import Form

from .registrations import Registrations, read
from .sending import PUBSUB, Sender, is_service

XMLNS = "urn:xmpp:push:0"
MAX_BODY = 1024  # characters of a body that are passed on
SUMMARY = Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": "urn:xmpp:push:summary"},
    {"name": "message-count", "type": "text-single"},
    {"name": "pending-subscription-count", "type": "text-single"},
    {"name": "last-message-sender", "type": "jid-single"},
    {"name": "last-message-body", "type": "text-single"},
])


class Config(Options):
    """What a notification says, and how long a service may fail."""

    push_notification_with_body = boolean(
        False, doc="Pass the text of a message on to the push service.")
    push_notification_with_sender = boolean(
        False, doc="Pass the sender of a message on to the push service.")
    push_notification_important_body = string(
        "New Message!", doc="Text in the place of a message's own; empty for none.")
    push_max_errors = integer(
        16, min=1, doc="Errors in a row after which a push service is not notified.")
    push_retry_after = period(
        "1 day", min=1, doc="Time that such a push service is left alone, until it is tried once "
        "more; never means that it is forgotten at once.")
    push_max_retries = integer(
        3, min=0, doc="Times that it is tried once more in vain, until it is forgotten.")
    push_max_devices = integer(
        5, min=1, max=100, doc="Registrations that an account may have; the oldest go first.")
    push_max_hibernation_timeout = period(
        "72 hours", min="0 seconds",
        doc="Time that a session waits for its client after a notification.")


def load(module):
    """Open the store."""
    module.devices = Registrations(module)
    module.sender = Sender(module, module.devices)
    module.counts = {}  # username -> messages that were notified since somebody was there


def save(module):
    """Return the counts."""
    return {"counts": module.counts}


def restore(module, saved):
    """Go on counting."""
    module.counts = saved.get("counts") or {}


# -- registering ---------------------------------------------------------------------------


@hook("account-disco-info")
def disco(module, event):
    """Announce the feature (section 4.1)."""
    event.reply.tag("feature", var=XMLNS).up()


@hook(f"iq-set/self/{XMLNS}:enable")
def enable(module, event):
    """Register a push service (section 5)."""
    session, element = event.origin, event.stanza
    identifier, info = read(session, element.tags[0])
    if "xml:lang" in element.attr:
        info["language"] = element.attr["xml:lang"]
    registering = Event(origin=session, stanza=element, push_info=info)
    if module.fire_event("cloud_notify/registration", registering) is False:
        return True  # and answered
    module.devices.add(session.username, identifier, info)
    session.extras["push_identifier"], session.extras["push_settings"] = identifier, info
    session.extras.pop("first_hibernated_push", None)
    session.send(stanza.reply(element))
    return True


@iq("set", XMLNS, "disable", to="self")
def disable(module, event):
    """Forget a push service, or one node of it (section 6)."""
    element = event.stanza.tags[0]
    service = jid.prep(element.attr.get("jid") or "")
    if service is None:
        raise StanzaError("bad-request" if not element.attr.get("jid") else "jid-malformed",
                          "The attribute jid must name the push service")
    module.devices.remove(event.origin.username, service, element.attr.get("node"))
    return None


@hook("message/bare", priority=1)
@bystander("headline")
def revoked(module, event):
    """A push service takes the right to publish away (section 8)."""
    element = event.stanza
    sender = element.attr.get("from")
    if sender is None or "@" in sender:  # services have no local part, and most messages are not
        return None                      # from services
    pubsub = element.get_child("pubsub", PUBSUB)
    affiliation = pubsub.get_child("affiliation", PUBSUB) if pubsub is not None else None
    to = element.attr.get("to")
    if affiliation is None or affiliation.attr.get("affiliation") != "none" or jid.bare(
            affiliation.attr.get("jid")) != to:
        return None
    username, node = jid.node(to), pubsub.attr.get("node")
    for info in module.devices.of(username).values():
        if is_service(sender, info["jid"]) and node in (None, info.get("node")):
            module.devices.remove(username, info["jid"], info.get("node") or "")
    return True


@hook("user-deleted")
def forget(module, event):
    """Keep nothing of an account that is gone."""
    module.devices.store.set(event.username, None)
    module.counts.pop(event.username, None)


# -- what is worth a notification ----------------------------------------------------------


@hook("message/offline/handle", priority=1)
@hook("message/bare/groupchat", priority=1)
def nobody_there(module, event):
    """A message for an account that is not there: all of its devices are told."""
    username = getattr(event, "username", None) or jid.node(event.stanza.attr.get("to"))
    if getattr(event, "key", None) is None and username is not None:  # else they know already
        notify(module, username, event.stanza, absent(module, username))


@hook("archive-message-added")
def archived(module, event):
    """A message that some device has got: those that are away are told."""
    element, username = event.stanza, event.for_user
    sender = jid.bare(element.attr.get("from"))
    if sender != f"{username}@{module.host}" and module.host_object.sessions.get(username):
        notify(module, username, element, absent(module, username))


@hook("subscription-requested")
def requested(module, event):
    """Somebody asks to see the user's presence: devices that are away are told."""
    notify(module, event.username, event.stanza, absent(module, event.username))


def absent(module, username: str) -> dict[str, dict]:
    """Return the registrations of devices that have no session."""
    user = module.host_object.sessions.get(username)
    present = {session.extras.get("push_identifier") for session in user.sessions.values()} \
        if user is not None else ()
    return {name: info for name, info in module.devices.active(username).items()
            if name not in present}


@hook("smacks-hibernation-start")
@hook("smacks-ack-delayed")
def client_gone(module, event):
    """What a client has not acknowledged may never have reached it."""
    for element in reversed(event.queue):
        if notify_session(module, event.origin, element):
            return


@hook("smacks-hibernation-stanza-queued")
def queued(module, event):
    """A message waits for a client."""
    notify_session(module, event.origin, event.stanza)


def notify_session(module, session, element) -> bool:
    """Tell the device of a session that something waits; return whether it is worth it."""
    identifier = session.extras.get("push_identifier")
    if identifier is None or not worth_it(element):
        return False
    info = module.devices.active(session.username).get(identifier)
    if info is None:
        return False
    notify(module, session.username, element, {identifier: info})
    if session.extras.get("hibernating") and not session.extras.get("first_hibernated_push"):
        session.extras["first_hibernated_push"] = time.time()
        watchdog = session.extras.get("hibernating_watchdog")
        longest = module.options.push_max_hibernation_timeout
        if watchdog is not None and longest > watchdog.timeout:
            session.extras["original_smacks_timeout"] = watchdog.timeout
            watchdog.reset(longest)
    return True


@hook("smacks-hibernation-end")
def client_back(module, event):
    """The client has come: what was notified is on its way to it."""
    session = event.resumed
    if session is not None:
        session.extras.pop("first_hibernated_push", None)
        session.extras.pop("original_smacks_timeout", None)
        module.counts.pop(session.username, None)


@hook("presence/initial")
def somebody_there(module, event):
    """Begin to count anew."""
    module.counts.pop(event.origin.username, None)


def worth_it(element) -> bool:
    """Whether a device should be woken up for a stanza."""
    if element.name == "presence":
        return element.attr.get("type") == "subscribe"
    if element.name != "message" or element.attr.get("type") in ("error", "headline"):
        return False
    return importance.is_seen(importance.carbon_of(element) or element)


# -- what a notification says --------------------------------------------------------------


def notify(module, username: str, element, services: dict[str, dict]) -> None:
    """Send a notification of a stanza to push services."""
    if not services or not worth_it(element):
        return
    if element.name == "message":
        module.counts[username] = module.counts.get(username, 0) + 1
    summary = summary_of(module, username, importance.carbon_of(element) or element)
    payload = stanza.stanza("notification", xmlns=XMLNS)
    payload.add_child(SUMMARY.element(summary, "submit"))
    for identifier, info in services.items():
        module.sender.notify(username, identifier, info, (payload, element, summary, True))


def summary_of(module, username: str, element) -> dict:
    """Return what the form of a notification holds (section 7)."""
    options, summary = module.options, {}
    if count := module.counts.get(username):
        summary["message-count"] = str(count)
    pending = len(load_roster(module.server, username, module.host).pending)
    if pending:
        summary["pending-subscription-count"] = str(pending)
    if element.name != "message":
        return summary
    if options.push_notification_with_sender and element.attr.get("from"):
        summary["last-message-sender"] = element.attr["from"]
    body = element.get_child_text("body")
    if options.push_notification_with_body and body:
        summary["last-message-body"] = body[:MAX_BODY]
    elif options.push_notification_important_body:
        summary["last-message-body"] = options.push_notification_important_body
    return summary
