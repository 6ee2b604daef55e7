"""The ad-hoc command by which users choose with whom messages are kept (XEP-0441 section 2.2)."""

from __future__ import annotations

from prosody_py.api import StanzaError, adhoc, dataforms, jid

from .preferences import LISTS, MAX_ADDRESSES, NAMES, POLICIES, keep_preferences, preferences

NODE = "urn:xmpp:mam#configure"
FORM = dataforms.Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": NODE},
    {"name": "default", "type": "list-single", "label": "Keep messages", "required": True,
     "options": [{"label": "With everybody", "value": "always"},
                 {"label": "With the contacts in the roster", "value": "roster"},
                 {"label": "With nobody", "value": "never"}]},
    {"name": "always", "type": "jid-multi", "label": "Always keep messages with"},
    {"name": "never", "type": "jid-multi", "label": "Never keep messages with"},
], title="Your archive", instructions="With whom messages are kept.")


def command(module) -> adhoc.AdhocCommand:
    """Return the command; it is for users of the host."""
    return adhoc.form("Configure the archive", NODE, FORM,
                      lambda fields, data: chosen(module, user_of(data), fields), "local_user",
                      lambda data: shown(module, user_of(data)))


def user_of(data) -> str:
    """Return the account that runs the command."""
    return jid.node(getattr(data, "from"))


def shown(module, username: str) -> dict:
    """Return what is in the form before."""
    prefs = preferences(module, username)
    return {"default": NAMES.get(prefs.get(False), "never"), **{
        name: [address for address, rule in prefs.items()
               if address is not False and rule == wanted] for name, wanted in LISTS}}


def chosen(module, username: str, fields: dict) -> str:
    """Keep what a user has chosen; an address in both lists is in the second one."""
    if fields["default"] not in POLICIES:
        raise adhoc.bad("bad-payload", "'default' is always, never or roster")
    prefs: dict = {False: POLICIES[fields["default"]]}
    for name, rule in LISTS:
        prefs.update(dict.fromkeys(fields.get(name) or (), rule))
    if len(prefs) > MAX_ADDRESSES + 1:
        raise StanzaError("policy-violation", f"At most {MAX_ADDRESSES} addresses can be listed")
    keep_preferences(module, username, prefs)
    return "This is how messages are kept from now on."
