"""XEP-0128 form about the server (FORM_TYPE http://jabber.org/network/serverinfo).

The fields come from the items "server-info-fields" of modules: a list of fields each, a field
being {"var" (or "name"), "type", "value"}, where the value is a text or a list of texts. They are
put together because an entity may have only one form of a type.
"""

from __future__ import annotations

from typing import Any

from prosody_py.api import stanza

FORM_TYPE = "http://jabber.org/network/serverinfo"
DEPENDS = ("disco",)


def load(module):
    """Offer the form, and a new one whenever a module's fields come or go."""
    module.form = None

    def renew(_event):
        if module.form is not None:
            module.remove_item("extension", module.form)
        module.form = make_form(module)
        if module.form is not None:
            module.add_extension(module.form)

    module.handle_items("server-info-fields", renew, renew)


def make_form(module):
    """Return the form of all fields, None when there are none."""
    fields = [field for item in module.get_host_items("server-info-fields")
              for field in entries(item)]
    if not fields:
        return None
    form = stanza.stanza("x", xmlns="jabber:x:data", type="result")
    form.tag("field", var="FORM_TYPE", type="hidden").text_tag("value", FORM_TYPE).up()
    for field in fields:
        form.tag("field", var=field.get("var") or field.get("name"), type=field.get("type"))
        value = field.get("value")
        for text in [value] if isinstance(value, str) else entries(value or ()):
            form.text_tag("value", text)
        form.up()
    return form


def entries(items: Any) -> list[Any]:
    """Return the entries of a list; that of a Lua module counts from 1."""
    if hasattr(items, "get"):
        return [items.get(index) for index in range(1, len(items) + 1)]
    return list(items)
