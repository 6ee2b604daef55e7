"""XEP-0077: registration of accounts by those who have none. Off unless `allow_registration`.

With `registration_url` it is done at a web page: clients are told where that is, and no account is
made in-band but with an invitation, if `allow_registration` is on as well.

Others decide by way of events, Prosody's: `user-registering` (username, password, host,
additional, ip, session, allowed) before an account is made, where a handler may set `allowed` to
False, with `reason`, `error_type` and `error_condition`, or allow a new password for an account
that exists with `allow_reset`; then `user-registered` (username, host, source, session,
validated_invite), or `user-password-reset`.

What was told beside the password is kept in the store "account_details".
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from prosody_py.api import Event, Options, StanzaError, array, boolean, hook, stanza, string
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong
from prosody_py.hosts import users
from prosody_py.xmpp import prep

XMLNS = "jabber:iq:register"
FEATURE = "http://jabber.org/features/iq-register"
FORM, OOB = "jabber:x:data", "jabber:x:oob"
DEPENDS = ("register_limits",)
STANDARD = ("name", "nick", "first", "last", "email", "address", "city", "state", "zip", "phone",
            "url", "date")
MAX_FIELD = 1023  # bytes of a field's text


def form_field(value: Any) -> dict[str, Any]:
    """Read an entry of additional_registration_fields: a name of the XEP or a form field."""
    if isinstance(value, str) and value in STANDARD:
        return {"name": value, "type": "text-single", "label": value.capitalize(),
                "required": True}
    if isinstance(value, Mapping) and isinstance(value.get("name"), str):
        return {"type": "text-single", "required": False, "label": value["name"], **value}
    raise Wrong


class Config(Options):
    """Who may register, and what is asked."""

    allow_registration = boolean(False, doc="Let anybody make an account.")
    additional_registration_fields = array(
        (), of=Option("field", f"{{name:, label:, type:, required:}} or one of "
                               f"{', '.join(STANDARD)}", form_field),
        doc="What is asked beside user name and password.")
    registration_instructions = string(
        "Choose a username and password for use with this service.",
        doc="What is shown to those who register.")
    registration_url = string(None, doc="Web page where accounts are made, instead of in-band; "
                                        "clients show it.")
    registration_text = string(None, doc="What is shown beside registration_url; without it a "
                                         "sentence that names it.")


def load(module):
    """Open the store."""
    module.store = module.open_store("account_details")


def is_open(module, session) -> bool:
    """Whether an account can be made on this stream."""
    required = module.server.config.get(module.host, "c2s_require_encryption")
    options = module.options
    return (bool(options.allow_registration or options.registration_url)
            and session.type == "c2s_unauthed" and (bool(session.secure) or required is False))


def is_elsewhere(module, session) -> bool:
    """Whether somebody is to make the account at a web page (XEP-0077 section 5).

    Where the community's mod_register_redirect is loaded, which has the same option, it decides: it
    lets some addresses through.
    """
    options = module.options
    if "register_redirect" in module.host_object.modules:
        return False
    return bool(options.registration_url) and not (
        options.allow_registration and session.extras.get("validated_invite") is not None)


@hook("stream-features")
def features(module, event):
    """Tell that accounts can be made."""
    if is_open(module, event.origin):
        event.features.tag("register", xmlns=FEATURE).up()


@hook(f"stanza/iq/{XMLNS}:query")
def register(module, event):
    """Tell what is asked, or make an account."""
    session, iq = event.origin, event.stanza
    if not is_open(module, session):
        raise StanzaError("service-unavailable", "Registration is disabled or in progress")
    if is_elsewhere(module, session):
        if iq.attr.get("type") != "get":
            raise StanzaError("not-allowed", instructions_elsewhere(module))
        session.send(stanza.reply(iq).add_child(redirect(module)))
        return True
    if iq.attr.get("type") == "get":
        session.send(stanza.reply(iq).add_child(questions(module, invited_as(session))))
        return True
    fields = answers(iq.tags[0], module.options.additional_registration_fields)
    session.log.debug("Somebody at %s wants to register %s", session.ip, fields["username"])
    make_account(module, session, fields)
    session.send(stanza.reply(iq))
    return True


def instructions_elsewhere(module) -> str:
    """Return what people are told who are to make the account at a web page."""
    options = module.options
    return options.registration_text or f"To make an account, visit {options.registration_url}"


def redirect(module):
    """Return the <query/> that says where accounts are made."""
    query = stanza.stanza("query", xmlns=XMLNS)
    query.text_tag("instructions", instructions_elsewhere(module))
    query.tag("x", xmlns=OOB).text_tag("url", module.options.registration_url)
    return query.reset()


def invited_as(session) -> str | None:
    """Return the name of the account that an invitation is for, if the session has shown one."""
    invite = session.extras.get("validated_invite")
    if invite is None:
        return None
    return getattr(invite, "username", None) or (
        getattr(invite, "additional_data", None) or {}).get("allow_reset")


def questions(module, username: str | None = None):
    """Return the <query/> that says what is asked; `username` is known already."""
    options = module.options
    additional = options.additional_registration_fields
    query = stanza.stanza("query", xmlns=XMLNS)
    query.text_tag("instructions", options.registration_instructions)
    query.tag("username").text(username).up().tag("password").up()
    for field in additional:
        if field["name"] in STANDARD and field["required"]:
            query.tag(field["name"]).up()
    if additional:
        query.tag("x", xmlns=FORM, type="form").text_tag("title", "Creating a new account")
        query.text_tag("instructions", options.registration_instructions)
        query.tag("field", var="FORM_TYPE", type="hidden").text_tag("value", XMLNS).up()
        for field in ({"name": "username", "type": "text-single", "label": "Username",
                       "required": True},
                      {"name": "password", "type": "text-private", "label": "Password",
                       "required": True}, *additional):
            query.tag("field", var=field["name"], type=field["type"], label=field["label"])
            if field["required"]:
                query.tag("required").up()
            if field["name"] == "username" and username:
                query.text_tag("value", username)
            query.up()
        query.up()
    return query


def answers(query, additional) -> dict[str, str]:
    """Return the fields of a <query/>, of its form if it has one; raises StanzaError."""
    if query.get_child("remove") is not None:
        raise StanzaError("unexpected-request", "There is no account to remove on this stream")
    form = query.get_child("x", FORM)
    if form is not None:
        given = {field.attr.get("var"): field.get_child_text("value") or ""
                 for field in form.childtags("field")}
    else:
        given = {child.name: child.get_text() for child in query.childtags()}
    fields = {}
    for name, required in (("username", True), ("password", True),
                           *((field["name"], field["required"]) for field in additional)):
        value = given.get(name) or ""
        if not value and required:
            raise StanzaError("not-acceptable", f"The field {name} must be filled in")
        if len(value.encode("utf-8", "replace")) > MAX_FIELD:
            raise StanzaError("not-acceptable", f"The field {name} is too long")
        if value:
            fields[name] = value
    try:
        fields["username"] = prep.nodeprep(fields["username"], strict=True)
        fields["password"] = prep.saslprep(fields["password"])
    except prep.PrepError:
        raise StanzaError("not-acceptable", "The username or the password has characters that "
                                            "it must not have") from None
    if not fields["username"] or not fields["password"]:
        raise StanzaError("not-acceptable", "Neither username nor password may be empty")
    return fields


def make_account(module, session, fields: dict[str, str]) -> None:
    """Make an account if nobody objects; raises StanzaError."""
    username, password = fields.pop("username"), fields.pop("password")
    event = Event(username=username, password=password, host=module.host, additional=fields,
                  ip=session.ip, session=session, allowed=True,
                  validated_invite=session.extras.get("validated_invite"))
    module.fire_event("user-registering", event)
    if not event.allowed:
        raise refusal(event)
    server = module.server
    try:
        if users.user_exists(server, username, module.host):
            reset_password(module, event)
            return
        users.create_user(server, username, password, module.host)
    except users.AccountError as error:
        taken = users.user_exists(server, username, module.host)  # by somebody who was faster
        raise StanzaError("conflict" if taken else "not-allowed", str(error)) from None
    module.store.set(username, {**fields, "registered": int(time.time())})
    session.log.info("Account created: %s@%s", username, module.host)
    module.fire_event("user-registered", Event(
        username=username, host=module.host, source="mod_register", session=session,
        ip=session.ip, validated_invite=event.validated_invite))


def refusal(event) -> StanzaError:
    """Return the error that a handler of user-registering has chosen."""
    error = getattr(event, "error", None)
    if error is not None:  # an object of util.error has the same fields
        return StanzaError(error.condition or "not-acceptable", error.text, type=error.type)
    return StanzaError(getattr(event, "error_condition", None) or "not-acceptable",
                       getattr(event, "reason", None) or "User registration is not permitted",
                       type=getattr(event, "error_type", None) or "modify")


def reset_password(module, event) -> None:
    """Give an account that exists a new password if a handler has allowed that."""
    if getattr(event, "allow_reset", None) != event.username:
        raise StanzaError("conflict", "The requested username already exists")
    users.set_password(module.server, event.username, event.password, module.host)
    module.fire_event("user-password-reset", event)


@hook("user-deleted")
def forget(module, event):
    """Remove what an account has told."""
    module.store.set(event.username, None)
