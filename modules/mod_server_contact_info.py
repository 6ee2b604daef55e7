"""XEP-0157: Contact Addresses for XMPP Services."""

from __future__ import annotations

from urllib.parse import quote

from prosody_py.api import Options, array, inherited_set, mapping, string

KINDS = ("abuse", "admin", "feedback", "sales", "security", "status", "support")
DEPENDS = ("server_info",)


class Config(Options):
    """The addresses."""

    contact_info = mapping(
        None, fields={kind: array(None, of=string()) for kind in KINDS},
        doc="Addresses as URIs such as mailto:x@example.com; by default those of the admins.")
    admins = inherited_set((), of=string(), doc="Addresses of the administrators.")


def load(module):
    """Offer the addresses to the form of mod_server_info."""
    contacts = {kind: uris for kind, uris in module.options.contact_info.items() if uris}
    if module.get_option("contact_info") is None and module.options.admins:
        contacts = {"admin": ["xmpp:" + quote(address, safe="@/")
                              for address in sorted(module.options.admins)]}
    if contacts:
        module.add_item("server-info-fields", [
            {"var": f"{kind}-addresses", "type": "list-multi", "value": contacts[kind]}
            for kind in KINDS if kind in contacts])
