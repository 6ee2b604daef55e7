"""XEP-0077 for those who have an account: change the password, remove the account.

With `registration_delete_grace_period` an account whose user removes it is disabled first, and
removed when that time is over, unless an administrator enables it again. What waits is in the store
"accounts_cleanup": username -> {"requested", "due"}, seconds since 1970.

Fires `user-deregistered-pending` when an account begins to wait, and `user-deregistered`
(username, host, source, session) after it was removed.
"""

from __future__ import annotations

import time

from prosody_py.api import PASS, Event, Options, StanzaError, hook, iq, jid, period, stanza
from prosody_py.hosts import users
from prosody_py.xmpp import prep

XMLNS = "jabber:iq:register"
FEATURES = (XMLNS,)


class Config(Options):
    """How an account is removed."""

    registration_delete_grace_period = period(
        0, max="10 years", doc="Time that an account whose user removes it is only disabled for; "
                               "0 to remove it at once.")


def load(module):
    """Open the store, and look at it now and then."""
    module.pending = module.open_store("accounts_cleanup")
    module.hourly("Remove accounts whose time is over", lambda _task: remove_due(module))


def account_of(module, event) -> str | None:
    """Return the account of who asks, None for who has none on this host."""
    origin = event.origin
    if getattr(origin, "type", None) != "c2s" or origin.host != module.host:
        return None
    if jid.bare(event.stanza.attr.get("from")) != origin.bare_jid:
        return None
    return origin.username


@iq("get", XMLNS, "query", to=("self", "host"))
def status(module, event):
    """Tell that the account is there; what is stored of its password is told to nobody."""
    username = account_of(module, event)
    if username is None:
        return PASS
    return (stanza.stanza("query", xmlns=XMLNS).tag("registered").up()
            .text_tag("username", username).tag("password").up())


@hook(f"iq-set/self/{XMLNS}:query")
@hook(f"iq-set/host/{XMLNS}:query")
def change(module, event):
    """Change the password or remove the account."""
    username = account_of(module, event)
    if username is None:
        return None
    query = event.stanza.tags[0]
    if query.get_child("remove") is None:
        change_password(module, event.origin, username, query)
        event.origin.send(stanza.reply(event.stanza))
    elif len(query.tags) != 1:
        raise StanzaError("bad-request", "<remove/> must stand alone")
    else:
        remove_account(module, event, username)
    return True


def remove_account(module, event, username) -> None:
    """Remove the account of the session, which ends all its streams; raises StanzaError.

    The result is the last thing that the session gets before the end of its stream.
    """
    session, close = event.origin, event.origin.close
    replaceable = isinstance(session.extras, dict)

    def close_with_result(*reason):
        del session.close
        session.send(stanza.reply(event.stanza))
        close(*reason)

    session.log.info("%s removes the account", session.bare_jid)
    if replaceable:
        session.close = close_with_result
    else:  # a session that a Lua module has made: its function has to stay
        session.send(stanza.reply(event.stanza))
    try:
        waits = disable(module, username)
        if not waits:
            users.delete_user(module.server, username, module.host)
    except users.AccountError as error:
        raise StanzaError("not-allowed", str(error)) from None
    finally:
        if replaceable:
            session.extras.pop("close", None)
    module.fire_event("user-deregistered-pending" if waits else "user-deregistered", Event(
        username=username, host=module.host, source="mod_register", session=session))


# -- accounts that wait to be removed --------------------------------------------------------


def disable(module, username: str) -> bool:
    """Disable an account and let it wait, if so configured; return whether it waits."""
    grace = module.options.registration_delete_grace_period
    if not grace:
        return False
    now = int(time.time())
    module.pending.set(username, {"requested": now, "due": int(now + grace)})
    try:
        users.set_enabled(module.server, username, module.host, False, {
            "reason": "ibr", "comment": "Deletion requested by user", "when": now})
    except users.AccountError as error:
        module.pending.set(username, None)
        module.log("warn", "%s is removed at once, without registration_delete_grace_period: %s",
                   username, error)
        return False
    return True


@hook("user-enabled")
def keep_account(module, event):
    """An administrator has decided otherwise: the account stays."""
    if module.pending.get(event.username) is not None:
        module.pending.set(event.username, None)
        module.log("info", "%s is enabled again and will not be removed", event.username)


@hook("user-deleted")
def forget(module, event):
    """Wait no more for an account that is gone."""
    module.pending.set(event.username, None)


def remove_due(module) -> int:
    """Remove the accounts whose time is over; return how many."""
    now, removed = time.time(), 0
    for username in list(module.pending.users()):
        waiting = module.pending.get(username)
        if not waiting or waiting.get("due", now) > now:
            continue
        try:
            if users.user_exists(module.server, username, module.host):
                if users.provider(module.server, module.host).is_enabled(username):
                    module.pending.set(username, None)  # enabled by a way that tells nobody
                    continue
                users.delete_user(module.server, username, module.host)
                removed += 1
            module.pending.set(username, None)
        except users.AccountError as error:
            module.log("error", "%s should be removed, but: %s", username, error)
            continue
        module.fire_event("user-deregistered", Event(
            username=username, host=module.host, source="mod_register", session=None))
    return removed


def change_password(module, session, username, query) -> None:
    """Change the password of the session's account; raises StanzaError."""
    given, password = query.get_child_text("username"), query.get_child_text("password")
    if not given or not password:
        raise StanzaError("bad-request", "Both username and password are needed")
    try:
        same = prep.nodeprep(given) == username
        password = prep.saslprep(password)
    except prep.PrepError:
        raise StanzaError("not-acceptable", "The username or the password has characters that "
                                            "it must not have") from None
    if not same:
        raise StanzaError("bad-request", "The username is not yours")
    try:
        users.set_password(module.server, username, password, module.host, session.resource)
    except users.AccountError as error:
        raise StanzaError("not-allowed", str(error)) from None
    session.log.info("%s changed the password", session.bare_jid)
