"""XEP-0055: Jabber Search. A directory of the people of a host who want to be found.

Who is in it: with `vjud_mode` "opt-in" those who have said so with the ad-hoc command "vjudsetup",
with "all" everybody who has a vCard. What is found is first, last and nick name and the mail
address of the vCard (XEP-0054). The module is for a host, or for a component of its own, which
searches its parent host or `vjud_search_domain`.

Data and owner: entries.py keeps the directory in memory, made of the store "vjud" (who wants to be
found) and the vCards when it is first needed. A search looks at each entry; both are bounded.
Strangers learn nothing: only users of the server may search unless `allow_remote_searches`.
"""

from __future__ import annotations

from prosody_py.api import (
    Options,
    StanzaError,
    adhoc,
    boolean,
    dataforms,
    enum,
    integer,
    iq,
    jid,
    stanza,
    string,
)
from prosody_py.api.errors import LoadError

from .entries import FIELDS, Directory

XMLNS, DATA = "jabber:iq:search", "jabber:x:data"
FEATURES = (XMLNS,)
DEPENDS = ("disco",)
LABELS = {"first": "Given Name", "last": "Family Name", "nick": "Nickname",
          "email": "Email Address"}
FORM = dataforms.Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": XMLNS},
    *({"name": name, "type": "text-single", "label": LABELS[name]} for name in FIELDS)],
    title="User Directory Search", instructions="Fill in one or more fields to search for users.")
SETTINGS = dataforms.Form([
    {"name": "searchable", "type": "boolean", "label": "Others may find me in the directory"}],
    title="User directory")


class Config(Options):
    """Who is found, and by whom."""

    vjud_mode = enum("opt-in", "all", doc="Who is in the directory: who wants to, or everybody.")
    vjud_search_domain = string(None, doc="The host whose users are searched.")
    vjud_instructions = string("Fill in one or more fields to search for users.",
                               doc="What is shown to those who search.")
    allow_remote_searches = boolean(False, doc="Let users of other servers search.")
    vjud_max_results = integer(50, min=1, max=1000, doc="People that one search may find.")
    vjud_max_entries = integer(20_000, min=1, max=1_000_000, doc="People in the directory.")
    vjud_min_length = integer(2, min=1, max=20, doc="Characters that a search needs.")


def load(module):
    """Find the host to search, and offer the command to be found."""
    module.domain = domain = module.options.vjud_search_domain or (
        module.host if module.get_host_type() == "local" else module.host.partition(".")[2])
    if not any(host.name == domain and host.component_module is None
               for host in module.server.config.hosts):
        raise LoadError(f"mod_vjud searches {domain}, which is no host of this server with "
                        "accounts; name one with vjud_search_domain")
    module.directory = Directory(module.server, domain, module.options)
    module.add_identity("directory", "user", "User search")
    if module.options.vjud_mode == "opt-in":
        module.depends("adhoc")
        module.add_item("adhoc", adhoc.AdhocCommand(
            "Search settings", "vjudsetup", lambda _command, data, _state: settle(module, data),
            "any"))


def ready(module):
    """Follow what happens on the host that is searched, which is there now."""
    host = module.server.hosts.get(module.domain)
    if host is None:
        module.log_status("error", "%s is not in service and cannot be searched", module.domain)
        return
    module.hook_object_event(host.events, "vcard-updated", lambda event: changed(module, event))
    module.hook_object_event(host.events, "user-deleted",
                             lambda event: module.directory.forget(event.username))


def changed(module, event) -> None:
    """A user of the host has another vCard."""
    module.directory.read_again(event.origin.username)


def settle(module, data):
    """Ask who runs the command whether to be found, and note the answer."""
    sender = getattr(data, "from")
    username = jid.node(sender)
    if username is None or jid.host(sender) != module.domain:
        raise StanzaError("forbidden", f"The directory is of the users of {module.domain}")
    if data.action == "cancel":
        return {"status": "canceled"}, None
    if data.form is None:
        form = {"layout": SETTINGS,
                "values": {"searchable": module.directory.wants(username)}}
        return {"status": "executing", "form": form, "actions": ["complete"]}, None
    wanted = bool(SETTINGS.read(data.form).get("searchable"))
    if not module.directory.set_wanted(username, wanted):
        raise StanzaError("resource-constraint", "The directory is full")
    return adhoc.completed("You can be found now" if wanted else "You cannot be found any more"), \
        None


def require_access(module, event) -> None:
    """Raise StanzaError unless the sender may search."""
    sender = jid.host(event.stanza.attr.get("from"))
    if not module.options.allow_remote_searches and sender != module.domain:
        raise StanzaError("forbidden", f"Only users of {module.domain} may search")


@iq("get", XMLNS, "query")
def fields(module, event):
    """Tell what can be searched for."""
    require_access(module, event)
    query = stanza.stanza("query", xmlns=XMLNS)
    query.text_tag("instructions", module.options.vjud_instructions)
    for name in FIELDS:
        query.tag(name).up()
    return query.add_child(FORM.element())


@iq("set", XMLNS, "query")
def search(module, event):
    """Find people, and tell in the form in which the question came."""
    require_access(module, event)
    query = event.stanza.tags[0]
    x = query.get_child("x", DATA)
    if x is None:
        wanted = {name: query.get_child_text(name) for name in FIELDS}
    else:
        filled = dataforms.submitted(query)
        if filled is None:
            raise StanzaError("bad-request", "This form is not filled in")
        wanted = FORM.read(filled)
    wanted = {name: wanted[name].strip() for name in FIELDS if (wanted.get(name) or "").strip()}
    least = module.options.vjud_min_length
    if not wanted or max(map(len, wanted.values())) < least:
        raise StanzaError("not-acceptable", f"Fill in a field with {least} characters or more")
    found = module.directory.find(wanted, module.options.vjud_max_results)
    return in_form(module, found) if x is not None else in_fields(module, found)


def in_fields(module, found):
    """Return what was found as elements."""
    query = stanza.stanza("query", xmlns=XMLNS)
    for username, entry in found:
        query.tag("item", jid=f"{username}@{module.domain}")
        for name in FIELDS:
            query.text_tag(name, entry.get(name) or "")
        query.up()
    return query


def in_form(module, found):
    """Return what was found as a form with a table."""
    query = stanza.stanza("query", xmlns=XMLNS)
    if not found:
        return query
    query.tag("x", xmlns=DATA, type="result")
    query.tag("field", type="hidden", var="FORM_TYPE").text_tag("value", XMLNS).up()
    query.tag("reported")
    for name in FIELDS:
        query.tag("field", var=name, label=LABELS[name], type="text-single").up()
    query.tag("field", var="jid", label="Jabber ID", type="jid-single").up().up()
    for username, entry in found:
        query.tag("item")
        for name, value in (*((name, entry.get(name) or "") for name in FIELDS),
                            ("jid", f"{username}@{module.domain}")):
            query.tag("field", var=name).text_tag("value", value).up()
        query.up()
    return query.reset()
