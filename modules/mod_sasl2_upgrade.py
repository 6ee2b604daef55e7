"""XEP-0480: SCRAM keys of further hashes, made with the help of a client that logs in.

Accounts that were brought from elsewhere may have keys of one hash alone. A client that names such
an account in its stream header is offered the tasks UPGR-SCRAM-<hash> for those hashes of
`password_hashes` that are lacking; those it asks for (`sasl2_upgrade_request`) follow its
login, after all other tasks. It is told a salt and sends the SaltedPassword, of which keys are
stored; a password is never seen. Only who has just proved to know the password by SCRAM may do so,
and the keys are kept only while that password is the account's.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from uuid import uuid4

from prosody_py.api import Options, hook, integer, stanza
from prosody_py.hosts.users import AccountError
from prosody_py.sessions.authentication import claimed_username
from prosody_py.xmpp import sasl

DEPENDS = ("sasl2",)
SASL2 = "urn:xmpp:sasl:2"
XMLNS = "urn:xmpp:sasl:upgrade:0"
SCRAM = "urn:xmpp:scram-upgrade:0"
PREFIX = "UPGR-SCRAM-"


class Config(Options):
    """How the keys are made."""

    default_iteration_count = integer(
        10000, min=4096, doc="Iterations of SCRAM keys that are made from now on.")


def lacking(module, username: str) -> list[str]:
    """Return the tasks by which an account gets the keys that it has not, the strongest first."""
    users = module.host_object.users
    own = users.hashes_of(username) if users is not None else None
    wanted = users.scram_hashes() if own else ()
    return [PREFIX + name for name in reversed(sasl.HASHES) if name in wanted and name not in own]


@hook("advertise-sasl-features")
def offer(module, event):
    """Offer the tasks to who says who it is."""
    username = claimed_username(event.origin, event.stream)
    for task in lacking(module, username) if username else ():
        event.authentication.text_tag("upgrade", task, xmlns=XMLNS)


@hook(f"stanza/{SASL2}:authenticate", priority=100)
def note(module, event):
    """Keep what the client asks for until it has proved who it is."""
    event.origin.extras["sasl2_upgrade_request"] = {
        tag.get_text() for tag in event.stanza.childtags("upgrade", XMLNS)}


@hook("sasl2/c2s/tasks", priority=-100)
def add_tasks(module, event):
    """Add the tasks that were asked for and are of use."""
    session = event.session
    asked, handler = session.extras.pop("sasl2_upgrade_request", None), session.sasl_handler
    if not asked or not handler.selected.startswith("SCRAM-"):
        return
    proved = handler.profile.proved
    for task in lacking(module, event.username):
        if task in asked:
            event.tasks.append(([task], lambda name, _element: upgrade(
                module, event.username, name.removeprefix(PREFIX), proved)))


def upgrade(module, username: str, hash: str, proved: sasl.ScramKeys):
    """Let the client salt its password, and keep the keys (section 3)."""
    salt, iterations = str(uuid4()).encode(), module.options.default_iteration_count
    answer = yield stanza.stanza("salt", xmlns=SCRAM, iterations=str(iterations)).text(
        base64.b64encode(salt).decode())
    text = answer.get_child_text("hash", SCRAM)
    try:
        salted = base64.b64decode((text or "").strip(), validate=True)
    except (binascii.Error, ValueError):
        raise sasl.SaslError("incorrect-encoding") from None
    if len(salted) != hashlib.new(sasl.HASHES[hash]).digest_size:
        raise sasl.SaslError("malformed-request", "This is not a SaltedPassword of that hash.")
    keys = sasl.keys_of_salted_password(salted, hash, iterations, salt)
    try:
        module.host_object.users.add_scram_keys(username, keys, proved)
    except AccountError as error:
        raise sasl.SaslError("not-authorized", f"{error}.") from None
    module.log("info", "%s has keys for SCRAM-%s now", username, hash)
