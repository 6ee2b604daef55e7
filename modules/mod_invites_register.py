"""Invitations are taken up here: XEP-0445 to make an account, XEP-0379 to become a contact.

A client shows its token on a stream without login, and then registers (mod_register_ibr; the
option `allow_registration` has to be on). Modules that make accounts in another way give the
invitation as `validated_invite` in the events. Who was invited by somebody and the inviter become
contacts of each other. A request for a subscription with a token is approved by the server.

What fails: a token that is good for nothing is as none; an invitation is used up only when the
account is there, and meanwhile belongs to the session that is making it.
"""

from __future__ import annotations

from prosody_py.api import Options, StanzaError, boolean, bystander, hook, jid, stanza
from prosody_py.api.roles import RoleError, add_secondary_role, set_user_role
from prosody_py.hosts import rostermanager
from prosody_py.hosts.roster import RosterItem, commit, load_roster
from prosody_py.sessions import presence

FEATURES_OF_STREAM = ("urn:xmpp:ibr-token:0", "urn:xmpp:invite")  # XEP-0445, and before it
PARS = "urn:xmpp:pars:0"
DEPENDS = ("invites",)
MAX_WRONG = 5  # tokens that are not valid, until a stream ends


class Config(Options):
    """Whether one needs an invitation."""

    allow_registration = boolean(False, doc="Let anybody make an account.")
    registration_invite_only = boolean(
        True, doc="Make accounts only for those who have an invitation.")


def load(module):
    """Say what is missing."""
    module.find = module.depends("invites").get
    if not module.options.allow_registration:
        module.log("info", "Invitations cannot be used to register in-band: allow_registration "
                           "is off")


def found(module, token: str | None, username: str | None = None):
    """Return the invitation of a token, None when it is good for nothing."""
    result = module.find(token, username)
    return None if isinstance(result, tuple) else result


# -- making an account (XEP-0445) ------------------------------------------------------------


def is_open(module, session) -> bool:
    """Whether somebody on this stream can make an account, as mod_register_ibr decides."""
    required = module.server.config.get(module.host, "c2s_require_encryption")
    return (module.options.allow_registration and session.type == "c2s_unauthed"
            and (bool(session.secure) or required is False))


@hook("stream-features")
def features(module, event):
    """Tell that tokens are taken."""
    if is_open(module, event.origin):
        for xmlns in FEATURES_OF_STREAM:
            event.features.tag("register", xmlns=xmlns).up()


@hook(f"stanza/iq/{PARS}:preauth")
def show_token(module, event):
    """Note the invitation that the session has shown; its time is looked at only now."""
    session, iq = event.origin, event.stanza
    if iq.attr.get("type") != "set":
        raise StanzaError("bad-request", "A token is shown with an iq of type set")
    if not is_open(module, session):
        raise StanzaError("service-unavailable", "Registration is disabled or in progress")
    token = iq.tags[0].attr.get("token")
    if not token:
        raise StanzaError("bad-request", "There is no token")
    invite = found(module, token)
    if invite is None or not invite.allow_registration:
        session.log.info("Somebody at %s has shown a token that is not valid", session.ip)
        wrong = session.extras["wrong_tokens"] = (session.extras.get("wrong_tokens") or 0) + 1
        if wrong > MAX_WRONG:
            session.close("policy-violation", "Too many tokens were not valid")
            return True
        raise StanzaError("item-not-found", "The provided token is invalid or expired",
                          type="cancel")
    session.extras["validated_invite"] = invite
    session.send(stanza.reply(iq))
    return True


def invite_of(event):
    """Return the invitation with which an account is made."""
    return getattr(event, "validated_invite", None) or getattr(
        getattr(event, "session", None), "validated_invite", None)


def refuse(event, condition: str, reason: str, type: str = "cancel") -> None:
    """Refuse a registration."""
    event.allowed = False
    event.error_type, event.error_condition, event.reason = type, condition, reason


@hook("user-registering", priority=10)
def check(module, event):
    """Let only those through who have an invitation, for the account that it is for."""
    invite, session = invite_of(event), getattr(event, "session", None)
    if invite is None:
        if module.options.registration_invite_only:
            refuse(event, "not-allowed", "Registration on this server is by invitation only")
        elif module.depends("invites").reserved_by(event.username):
            refuse(event, "conflict", "The requested username is kept for somebody else")
        return
    data = invite.additional_data or {}
    reset = data.get("allow_reset")
    wanted = reset or invite.username
    if wanted and wanted != event.username:
        refuse(event, "not-acceptable", f"The invitation is for the account {wanted}", "modify")
    elif not invite.reusable and module.depends("invites").get(invite.token) is None:
        refuse(event, "not-allowed", "The invitation was used meanwhile")
    elif taken(invite, session):
        refuse(event, "not-allowed", "The invitation is being used by somebody else")
    elif not wanted and any(other is not invite for other in
                            module.depends("invites").reserved_by(event.username)):
        refuse(event, "conflict", "The requested username is kept for somebody else")
    elif reset:
        event.allow_reset = reset


def taken(invite, session) -> bool:
    """Whether another session is making an account with it; if not, it is this one now."""
    holder = getattr(invite, "redeemed_by", None)
    if invite.reusable or session is None:
        return False
    if holder is not None and holder is not session and not holder.destroyed and (
            holder.conn is not None):
        return True
    invite.redeemed_by = session
    return False


@hook("user-password-reset")
@hook("user-registered")
def use(module, event):
    """Use the invitation up, and do what was promised with it."""
    invite = invite_of(event)
    if invite is None:
        return
    invite.use()
    data = invite.additional_data or {}
    if data.get("allow_reset"):
        return
    module.log("info", "%s was registered with an invitation of %s", event.username,
               invite.inviter or data.get("source") or "the server")
    give_roles(module, event.username, data.get("roles") or ())
    if invite.inviter and invite.inviter != event.username:
        befriend(module, invite.inviter, event.username)


def give_roles(module, username: str, names) -> None:
    """Give a new account the roles that its invitation names; the first one becomes its own."""
    for index, name in enumerate(names.values() if hasattr(names, "values") else names):
        try:
            give = add_secondary_role if index else set_user_role
            give(module.server, username, module.host, name)
        except RoleError as error:
            module.log("error", "An invitation names a role that %s cannot have: %s", username,
                       error)


def befriend(module, one: str, two: str) -> None:
    """Make two accounts of the host contacts of each other, who see each other's presence."""
    server, host = module.server, module.host
    for username, other in ((one, two), (two, one)):
        contact = f"{other}@{host}"
        roster = load_roster(server, username, host)
        with roster.lock:
            old = roster.get(contact)
            item = RosterItem() if old is None else old.copy()
            item.subscription, item.ask = "both", None
            pending = {address: request for address, request in roster.pending.items()
                       if address != contact}
            commit(server, roster, contact, item, pending)
        rostermanager.roster_push(server, username, host, contact)
    presence.send_available(server, f"{one}@{host}", f"{two}@{host}")
    presence.send_available(server, f"{two}@{host}", f"{one}@{host}")


# -- becoming a contact (XEP-0379) -----------------------------------------------------------


@hook("presence/bare", priority=11)
@bystander("presence")  # it only says how somebody is
def subscribe(module, event):
    """Approve a request that comes with a token of the account, and ask in return."""
    element = event.stanza
    if element.attr.get("type") != "subscribe":
        return None
    preauth = element.get_child("preauth", PARS)
    username, contact = jid.node(element.attr.get("to")), jid.bare(element.attr.get("from"))
    if preauth is None or username is None or contact == f"{username}@{module.host}":
        return None
    invite = found(module, preauth.attr.get("token"), username)
    if invite is None or invite.type != "roster" or not invite.use():
        module.log("debug", "The token of %s for %s is not valid", contact, username)
        return None
    become_contact(module, username, contact, element)
    return True


def become_contact(module, username: str, contact: str, element) -> None:
    """Do what the user's client would do: approve, and ask for the contact's presence."""
    server, host, account = module.server, module.host, f"{username}@{module.host}"
    roster = load_roster(server, username, host)
    rostermanager.inbound(server, roster, "subscribe", contact)
    for type in ("subscribed", "subscribe"):
        rostermanager.outbound(server, roster, type, contact)
        rostermanager.roster_push(server, username, host, contact)
        module.send(stanza.presence({"from": account, "to": contact, "type": type}))
        if type == "subscribed":
            presence.send_available(server, account, contact)
