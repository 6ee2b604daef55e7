"""XEP-0401: clients ask for invitations, with two ad-hoc commands.

`urn:xmpp:invite#invite` gives any user of the host an invitation to become a contact; who has it
may make an account here as well if the user may invite new users. `urn:xmpp:invite#create-account`
is for those who may: administrators, and whom the options name. The permission is
"invites_adhoc:invite-users".

Data and owner: invitations are those of mod_invites; nothing is kept here.
"""

from __future__ import annotations

from prosody_py.api import (
    Options,
    StanzaError,
    adhoc,
    boolean,
    dataforms,
    datetime,
    jid,
    set_,
    string,
)
from prosody_py.api.role_definitions import definitions
from prosody_py.hosts import users
from prosody_py.xmpp import prep

INVITE, CREATE = "urn:xmpp:invite#invite", "urn:xmpp:invite#create-account"
FORM_TYPE = "urn:xmpp:invite#invitation"
MAY_INVITE = ":invite-users"
DEPENDS = ("invites", "adhoc")

QUESTIONS = dataforms.Form([
    {"name": "username", "type": "text-single", "label": "Username",
     "desc": "Leave it empty to let whom you invite choose"},
    {"name": "roster-subscription", "type": "boolean", "label": "Roster subscription",
     "desc": "Whether you and the new user become contacts", "value": False},
], title="Invite somebody to make an account")
RESULT = dataforms.Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": FORM_TYPE},
    {"name": "uri", "type": "text-single", "label": "Invitation",
     "desc": "XMPP clients open this address"},
    {"name": "landing-url", "type": "text-single", "label": "Web page",
     "desc": "The same for a web browser"},
    {"name": "expire", "type": "text-single", "label": "Valid until"},
], title="Your invitation")


class Config(Options):
    """Who may invite whom."""

    allow_contact_invites = boolean(
        True, doc="Let all users invite others to become their contacts.")
    allow_user_invites = boolean(
        False, doc="Let all users invite others to make an account here.")
    allow_user_invite_roles = set_(
        (), of=string(), doc="Roles whose users may invite others to make an account here.")
    deny_user_invite_roles = set_(
        (), of=string(), doc="Roles whose users may not, whatever else is set.")


def load(module):
    """Offer the commands, and let those who may invite do so."""
    options = module.options
    for role in sorted(options.allow_user_invite_roles | options.deny_user_invite_roles):
        if role not in definitions(module.server, module.host):
            module.log("error", "There is no role %r, which an option of invitations names", role)
    allowed = {"prosody:admin", *options.allow_user_invite_roles}
    if options.allow_user_invites:
        allowed.add("prosody:registered")
    for role in allowed:
        module.default_permission(role, MAY_INVITE)
    if options.allow_contact_invites:
        module.add_item("adhoc", adhoc.AdhocCommand(
            "Invite user", INVITE, lambda _command, data, _state: invite(module, data),
            "local_user"))
    module.add_item("adhoc", adhoc.AdhocCommand(
        "Create account", CREATE, lambda _command, data, _state: create(module, data),
        "local_user"))


def may_invite(module, data) -> bool:
    """Whether who runs a command may invite somebody to make an account."""
    role = getattr(getattr(data.origin, "role", None), "name", None)
    if role in module.options.deny_user_invite_roles:
        return False
    return module.may(MAY_INVITE, data.origin, True)


def sender_of(module, data) -> str:
    """Return the address of who runs a command; raises StanzaError for who is not ours."""
    sender = getattr(data, "from")
    if jid.host(sender) != module.host or not jid.node(sender):
        raise StanzaError("forbidden", "Invitations are for users of this host")
    return sender


def told(made) -> tuple[dict, None]:
    """Return the end of a command: the invitation (XEP-0401 section 4.1)."""
    return adhoc.completed({"result": {"layout": result_form(made), "values": {
        "uri": made.uri, "landing-url": made.landing_page,
        "expire": datetime.format_datetime(made.expires) if made.expires else None}}}), None


def result_form(made) -> dataforms.Form:
    """Return the form of the result, without the fields that an invitation does not have."""
    missing = {"landing-url": made.landing_page, "expire": made.expires}
    return dataforms.Form([field for field in RESULT.fields
                           if missing.get(field["name"], True)], RESULT.title)


def invite(module, data):
    """Give an invitation to become a contact at once, without any questions."""
    sender = sender_of(module, data)
    if data.action == "cancel":
        return {"status": "canceled"}, None
    made = module.depends("invites").create_contact(
        jid.node(sender), may_invite(module, data), {"source": sender})
    return told(made)


def create(module, data):
    """Ask for whom the invitation to make an account is, and give it."""
    sender = sender_of(module, data)
    if data.action == "cancel":
        return {"status": "canceled"}, None
    if not may_invite(module, data):
        raise StanzaError("forbidden", "You may not invite new users")
    if data.form is None:
        return {"status": "executing", "form": QUESTIONS, "actions": ["complete"]}, None
    answers = QUESTIONS.read(data.form)
    username = username_of(module, answers.get("username"))
    additional = {"source": sender}
    if answers.get("roster-subscription"):
        additional["contact"] = jid.node(sender)
    return told(module.depends("invites").create_account(username, additional))


def username_of(module, text: str | None) -> str | None:
    """Return the name of an account to be made, None for any; raises StanzaError."""
    if not text:
        return None
    try:
        username = prep.nodeprep(text, strict=True)
    except prep.PrepError:
        username = ""
    if not username:
        raise StanzaError("not-acceptable", "This is not a valid username")
    if users.user_exists(module.server, username, module.host):
        raise StanzaError("conflict", "There is such an account already")
    return username
