"""vcard-temp (XEP-0054) out of PEP: the vCard4 and the avatar of an account (XEP-0398, XEP-0153).

There is one truth, the PEP nodes: a vcard-temp that is asked for is made of what the asker may see
of them, one that is set is published to them. Presence gets the hash of the avatar, and is sent
again when there is another one. A vCard that mod_vcard has stored is served until its user comes
back; then it moves to PEP (option `upgrade_legacy_vcards`). Instead of mod_vcard, not beside it.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from prosody_py.api import Options, Stanza, StanzaError, boolean, bystander, hook, iq, jid, stanza
from prosody_py.pubsub.errors import PubsubError
from prosody_py.xmpp import vcard
from prosody_py.xmpp.preserialize import deserialize

from .avatar import METADATA, avatar_of, hash_of, picture_in, publish

DEPENDS = ("pep",)
FEATURES = (vcard.TEMP,)
CONVERSION = "urn:xmpp:pep-vcard-conversion:0"
UPDATE, DELAY = "vcard-temp:x:update", "urn:xmpp:delay"
NODE = "urn:xmpp:vcard4"
OPTIONS = {"access_model": "open", "_defaults_only": True}


class Config(Options):
    """What happens to data of mod_vcard."""

    upgrade_legacy_vcards = boolean(True, doc="Move vCards that mod_vcard has stored to PEP when "
                                    "their users log in.")


def load(module):
    """Open the store of mod_vcard, and look for PEP."""
    module.store = module.open_store("vcard")
    module.pep = module.depends("pep")
    module.told = WeakKeyDictionary()  # session: the hash that its presence got here


@hook("account-disco-info")
def info(module, event):
    """Say that both kinds of avatars are the same."""
    event.reply.tag("feature", var=CONVERSION).up()


# -- vCards --------------------------------------------------------------------------------


@iq("get", vcard.TEMP, "vCard", to="bare")
def get(module, event):
    """Return an account's vCard; an empty one to who may not see it, and for no account."""
    to = event.stanza.attr.get("to")
    username = event.origin.username if to is None else jid.node(to)
    actor = event.stanza.attr["from"]
    service = module.pep.services.look(username)
    try:
        item = service.get_last_item(NODE, actor)
        card = item.payload if item is not None else None
        found = vcard.to_temp(card) if card is not None else stored(module, username)
    except PubsubError as error:
        found = stored(module, username) if error.name == "item-not-found" else None
    if found is None:
        found = stanza.stanza("vCard", xmlns=vcard.TEMP)
    picture = avatar_of(service, actor)
    if picture is not None:
        found.remove_children("PHOTO", vcard.TEMP)
        found.reset().tag("PHOTO").text_tag("TYPE", picture.type)
        found.text_tag("BINVAL", picture.data).reset()
    return found


def stored(module, username: str) -> Stanza | None:
    """Return a vCard that has not moved to PEP yet."""
    return deserialize(module.store.get(username))


@iq("set", vcard.TEMP, "vCard", to="bare")
def set(module, event):
    """Publish the sender's own vCard and avatar."""
    if not event.to_self:
        raise StanzaError("forbidden")
    element = event.stanza.tags[0]
    picture = picture_in(element)
    service = module.pep.get_pep_service(event.origin.username)
    actor = event.origin.full_jid
    service.publish(NODE, actor, "current", vcard.to_vcard4(element), OPTIONS)
    publish(service, actor, picture)
    if module.store.get(event.origin.username) is not None:
        module.store.set(event.origin.username, None)
    module.fire_event("vcard-updated", event)


@hook("resource-bind")
def upgrade(module, event):
    """Move what mod_vcard has stored for a user who comes."""
    username = event.session.username
    if not module.options.upgrade_legacy_vcards or not username:
        return
    old = stored(module, username)
    if old is None:
        return
    service, actor = module.pep.get_pep_service(username), event.session.bare_jid
    if NODE not in service.nodes:
        service.publish(NODE, actor, "current", vcard.to_vcard4(old), OPTIONS)
    if METADATA not in service.nodes:
        try:
            picture = picture_in(old)
        except StanzaError as error:
            module.log("warn", "The photo of %s is lost: %s", username, error.text)
            picture = None
        publish(service, actor, picture)
    module.store.set(username, None)
    module.log("info", "The vCard of %s has moved to PEP", username)


@hook("user-deleted")
def forget(module, event):
    """Remove what has not moved of an account that is gone; mod_pep does the rest."""
    module.store.set(event.username, None)


# -- the hash in presence --------------------------------------------------------------------


@hook("pre-presence/bare", priority=10)
@hook("pre-presence/full", priority=10)
@hook("pre-presence/host", priority=10)
@bystander("presence")
def inject(module, event):
    """Say in available presence which avatar there is (XEP-0398 section 4).

    Presence that is broadcast has it already: it was put in before it was taken as the session's.
    """
    session, element = event.origin, event.stanza
    if "type" in element.attr or getattr(session, "username", None) is None:
        return
    update = element.get_child("x", UPDATE)
    if update is not None and update.get_child("photo") is not None:
        return  # the client knows better, or wants none to be shown
    hash = hash_of(module.pep.services.with_nodes(session.username))
    if hash is None:
        return
    if update is None:
        update = Stanza("x", {"xmlns": UPDATE})
        element.children.append(update)
    update.children.append(Stanza("photo").text(hash))
    if element.attr.get("to") is None:
        module.told[session] = hash


@hook(f"pep-published/{METADATA}")
@hook(f"pep-retracted/{METADATA}")
def changed(module, event):
    """Send presence once more when there is another avatar."""
    module.add_timer(0, announce, module, event.username)


def announce(_now, module, username: str) -> None:
    """Let the contacts of an account know its avatar."""
    hash = hash_of(module.pep.services.with_nodes(username)) or ""
    user = module.host_object.sessions.get(username)
    for session in list(user.sessions.values()) if user is not None else ():
        if session.presence is None or module.told.get(session, "") == hash:
            continue
        presence = session.presence.clone()
        update = presence.get_child("x", UPDATE)
        photo = update.get_child("photo") if update is not None else None
        if photo is not None and photo.get_text() != module.told.get(session):
            continue  # that is the client's own
        presence.remove_children("x", UPDATE).remove_children("delay", DELAY)
        module.told.pop(session, None)
        if not hash:
            presence.tag("x", xmlns=UPDATE).tag("photo").reset()
        module.server.process_stanza(session, presence)
