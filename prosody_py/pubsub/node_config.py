"""The configuration of a node (XEP-0060 sections 8.2 and 16.4.3): names, defaults, form.

Names are those of Prosody's stores where Prosody has the option; `FIELDS` says how each is called
on the wire.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import NODE_CONFIG
from prosody_py.xmpp.dataforms import Field, Form, form_type
from prosody_py.xmpp.stanza import Stanza

ACCESS_MODELS = ("authorize", "open", "presence", "roster", "whitelist")
PUBLISH_MODELS = ("publishers", "subscribers", "open")
SEND_LAST = ("never", "on_sub", "on_sub_and_presence")
ITEM_REPLY = ("owner", "publisher", "none")
NODE_FULL = ("retract-oldest", "discard-oldest", "reject")
MAX_TEXT = 1024          # characters of a title and the like
MAX_GROUPS = 100         # roster groups that a node may name

DEFAULTS: dict[str, Any] = {
    "persist_items": True, "max_items": 20, "access_model": "open", "publish_model": "publishers",
    "send_last_published_item": "never", "notify_items": True, "include_payload": True,
    "notification_type": "headline", "notify_delete": True, "notify_retract": True,
    "notify_config": False, "notify_sub": False, "subscribe": True, "item_expire": "max",
    "publish_node_full": "retract-oldest", "presence_based_delivery": False, "tempsub": False,
    "purge_offline": False, "node_type": "leaf",
}
NODE_TYPES, POLICIES = ("leaf", "collection"), ("owners", "whitelist", "all")
OF_COLLECTIONS = frozenset(("children_association_policy", "children_association_whitelist",
                            "children_max"))
TREE = OF_COLLECTIONS | {"node_type", "collection", "children"}
"""Options of a service that has collections (XEP-0248); the first are for collections only."""
OF_LEAVES = frozenset((
    "payload_type", "max_items", "item_expire", "persist_items", "publish_node_full",
    "publish_model", "purge_offline", "send_last_published_item", "include_payload", "itemreply",
    "notify_retract", "max_payload_size"))
"""Options that mean nothing to a collection."""
NEEDS_PRESENCE = frozenset(("presence_based_delivery", "tempsub", "purge_offline"))
"""Options of nodes of a service that knows who is online."""

_FIELDS: list[dict[str, Any]] = [
    {"name": "title", "label": "Title"},
    {"name": "description", "label": "Description"},
    {"name": "language", "label": "Default language"},
    {"name": "contact", "type": "jid-multi", "label": "People to contact with questions"},
    {"name": "payload_type", "var": "pubsub#type",
     "label": "Semantic type of the payload, usually its namespace"},
    {"name": "node_type", "type": "list-single", "options": NODE_TYPES,
     "label": "Whether the node has items or other nodes in it"},
    {"name": "collection", "label": "The collection that the node is in"},
    {"name": "children", "type": "text-multi", "label": "The nodes in this collection"},
    {"name": "children_association_policy", "type": "list-single", "options": POLICIES,
     "value": "owners", "label": "Who may add nodes to this collection"},
    {"name": "children_association_whitelist", "type": "jid-multi",
     "label": "Who may add nodes to this collection if it has a whitelist"},
    {"name": "children_max", "datatype": "pubsub:integer-or-max", "range_min": 0,
     "range_max": 2**31, "label": "Max # of nodes in this collection"},
    {"name": "max_items", "datatype": "pubsub:integer-or-max", "range_min": 1,
     "label": "Max # of items to persist. `max` for no specific limit other than a server imposed "
              "maximum."},
    {"name": "item_expire", "datatype": "pubsub:integer-or-max", "range_min": 1,
     "range_max": 2**31,
     "label": "Seconds after which items are purged. `max` for no specific limit other than a "
              "server imposed maximum."},
    {"name": "persist_items", "type": "boolean", "label": "Persist items to storage"},
    {"name": "publish_node_full", "type": "list-single", "options": NODE_FULL,
     "label": "What happens when the node is full"},
    {"name": "access_model", "type": "list-single", "options": ACCESS_MODELS,
     "label": "Specify the subscriber model"},
    {"name": "roster_groups_allowed", "type": "list-multi",
     "label": "Roster groups allowed to subscribe"},
    {"name": "publish_model", "type": "list-single", "options": PUBLISH_MODELS,
     "label": "Specify the publisher model"},
    {"name": "subscribe", "type": "boolean", "label": "Whether to allow subscriptions"},
    {"name": "send_last_published_item", "type": "list-single", "options": SEND_LAST,
     "label": "When to send the last published item"},
    {"name": "notify_items", "var": "pubsub#deliver_notifications", "type": "boolean",
     "label": "Whether to deliver event notifications"},
    {"name": "include_payload", "var": "pubsub#deliver_payloads", "type": "boolean",
     "label": "Whether to deliver payloads with event notifications"},
    {"name": "notification_type", "type": "list-single", "options": ("normal", "headline"),
     "label": "Specify the delivery style for notifications"},
    {"name": "presence_based_delivery", "type": "boolean",
     "label": "Whether to deliver notifications to available users only"},
    {"name": "tempsub", "type": "boolean",
     "label": "Whether subscriptions end when subscribers go offline"},
    {"name": "purge_offline", "type": "boolean",
     "label": "Purge items when their publisher goes offline?"},
    {"name": "itemreply", "type": "list-single", "options": ITEM_REPLY,
     "label": "Whose address is told with an item"},
    {"name": "notify_config", "type": "boolean",
     "label": "Notify subscribers when the node configuration changes"},
    {"name": "notify_delete", "type": "boolean",
     "label": "Notify subscribers when the node is deleted"},
    {"name": "notify_retract", "type": "boolean",
     "label": "Notify subscribers when items are removed from the node"},
    {"name": "notify_sub", "type": "boolean",
     "label": "Notify owners about new subscribers and unsubscribes"},
    {"name": "max_payload_size", "datatype": "xs:integer", "range_min": 1, "range_max": 2**31,
     "label": "Max payload size in bytes"},
]
FIELDS: dict[str, str] = {field["name"]: field.setdefault("var", "pubsub#" + field["name"])
                          for field in _FIELDS}
"""What an option is called on the wire, by its name in Prosody's stores."""

_BY_VAR = {var: name for name, var in FIELDS.items()}
_CHOICES = {field["name"]: field["options"] for field in _FIELDS
            if field.get("type") == "list-single"}


def form(setup: Any, form_type_: str = NODE_CONFIG, left_out: frozenset[str] = frozenset()) -> Form:
    """Return the form of a service, by its Setup: what its nodes can be like."""
    fields: list[Field] = [{"name": "FORM_TYPE", "type": "hidden", "value": form_type_}]
    for field in _FIELDS:
        if field["name"] == "max_items":
            field = {**field, "range_max": setup.max_items}
        if _is_offered(setup, field["name"]) and field["name"] not in left_out:
            fields.append(field)
    return Form(fields)


def _is_offered(setup: Any, name: str) -> bool:
    return (setup.shows is not None or name not in NEEDS_PRESENCE) and (
        setup.collections or name not in TREE)


def form_for(setup: Any, settings: Mapping[str, Any], type: str = "form") -> Stanza:
    """Return the <x/> that shows the configuration of a node, or of a kind of nodes."""
    collection = settings.get("node_type") == "collection"
    return form(setup, left_out=OF_LEAVES if collection else OF_COLLECTIONS).element(settings, type)


def read(setup: Any, filled_in: Stanza, wanted_type: str = NODE_CONFIG) -> dict[str, Any]:
    """Return the options that a submitted form names; others are not in the result.

    Raises PubsubError for a form of another kind and for a value that cannot be, FormError
    ("not-acceptable") for one that is of the wrong type. Fields that are not known are passed
    over.
    """
    if form_type(filled_in) not in (wanted_type, None):
        raise PubsubError("bad-request", f"This is no form of the type {wanted_type}")
    options = form(setup, wanted_type).read(filled_in)
    options.pop("FORM_TYPE", None)
    for field in filled_in.childtags("field"):  # an empty field takes a value away
        name = _BY_VAR.get(field.attr.get("var"))
        if name is not None and name not in options and _is_offered(setup, name):
            options[name] = None
    check(options)
    return options


def unknown_fields(setup: Any, filled_in: Stanza) -> list[str]:
    """Return the names of fields in a form that are no options of a node."""
    return [var for field in filled_in.childtags("field")
            if (var := field.attr.get("var") or "") != "FORM_TYPE"
            and not (var in _BY_VAR and _is_offered(setup, _BY_VAR[var]))]


def check(options: Mapping[str, Any]) -> None:
    """Raise PubsubError "not-acceptable" for a value that no node can have."""
    for name, value in options.items():
        if value is None or name not in FIELDS:
            continue
        choices = _CHOICES.get(name)
        if choices is not None and value not in choices:
            raise PubsubError("unsupported-access-model" if name == "access_model"
                              else "not-acceptable", f"{FIELDS[name]} is one of "
                              + ", ".join(choices))
        if isinstance(value, str) and len(value) > MAX_TEXT and name != "children":
            raise PubsubError("not-acceptable", f"{FIELDS[name]} is too long")
        if isinstance(value, list) and (len(value) > MAX_GROUPS
                                        or any(len(entry) > MAX_TEXT for entry in value)):
            raise PubsubError("not-acceptable", f"There are too many {FIELDS[name]}")
