"""With whom a user's messages are kept (XEP-0441).

In the store "archive_prefs" as in Prosody: under false the default (true, false or "roster"),
under an address true or false. While the user is connected they are kept with the sessions.
"""

from __future__ import annotations

from prosody_py.api import Stanza, StanzaError, iq, jid, stanza
from prosody_py.hosts.roster import load_roster
from prosody_py.xmpp.mam import XMLNS

POLICIES = {"always": True, "never": False, "roster": "roster"}
NAMES = {value: name for name, value in POLICIES.items()}
LISTS = (("always", True), ("never", False))
CACHED = "archive_prefs"  # field of a user's sessions
MAX_ADDRESSES = 1000


def preferences(module, username: str) -> dict:
    """Return a user's preferences, the host's policy for who has none. May wait for the store."""
    user = module.host_object.sessions.get(username)
    known = user.extras.get(CACHED) if user is not None else None
    if known is None:
        known = module.prefs.get(username)
        if not isinstance(known, dict):
            smart = module.options.mam_smart_enable
            known = {False: False if smart else module.options.default_archive_policy}
        if user is not None:
            user.extras[CACHED] = known
    return known


def keep_preferences(module, username: str, prefs: dict) -> None:
    """Store preferences and let them count."""
    module.prefs.set(username, prefs)
    user = module.host_object.sessions.get(username)
    if user is not None:
        user.extras[CACHED] = prefs


def uses_archive(module, username: str) -> None:
    """Note that a user has a client for archives: with `mam_smart_enable` it begins to be kept."""
    if module.options.mam_smart_enable and module.prefs.get(username) is None:
        keep_preferences(module, username, {False: module.options.default_archive_policy})


def is_wanted(module, username: str, partner: str) -> bool:
    """Whether a user wants messages with an address kept; a full one is looked up as it is first.

    (XEP-0441 section 2.3.)
    """
    prefs = preferences(module, username)
    if len(prefs) > 1:
        rule = prefs.get(partner)
        if rule is None:
            rule = prefs.get(jid.bare(partner))
        if rule is not None:
            return bool(rule)
    policy = prefs.get(False)
    if policy == "roster":
        bare = jid.bare(partner)
        return (bare == f"{username}@{module.host}"
                or bare in load_roster(module.server, username, module.host))
    return bool(policy)


@iq("get", XMLNS, "prefs", to="self")
def tell(module, event):
    """Tell a user's preferences."""
    return element(preferences(module, event.origin.username))


@iq("set", XMLNS, "prefs", to="self")
def change(module, event):
    """Keep preferences; the answer says what counts now."""
    username = event.origin.username
    prefs = read(event.stanza.tags[0])
    keep_preferences(module, username, prefs)
    return element(prefs)


def element(prefs: dict) -> Stanza:
    """Return the <prefs/> of preferences."""
    policy = prefs.get(False)
    result = stanza.stanza("prefs", xmlns=XMLNS, default=NAMES.get(policy, "never"))
    for name, wanted in LISTS:
        result.tag(name)
        for address, rule in prefs.items():
            if address is not False and rule == wanted:
                result.text_tag("jid", address)
        result.up()
    return result


def read(element: Stanza) -> dict:
    """Return the preferences in a <prefs/>; raises StanzaError "bad-request"."""
    policy = element.attr.get("default")
    if policy not in POLICIES:
        raise StanzaError("bad-request", "'default' is always, never or roster")
    prefs: dict = {False: POLICIES[policy]}
    for name, rule in LISTS:
        listed = element.get_child(name)
        for child in listed.childtags("jid") if listed is not None else ():
            address = jid.prep(child.get_text())
            if address is None:
                raise StanzaError("bad-request", f"<{name}/> holds what is no address")
            prefs[address] = rule
    if len(prefs) > MAX_ADDRESSES + 1:
        raise StanzaError("policy-violation", f"At most {MAX_ADDRESSES} addresses can be listed")
    return prefs
