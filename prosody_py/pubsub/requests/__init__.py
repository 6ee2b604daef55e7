"""The iqs of XEP-0060: read, done by a service, answered.

    origin.send(answer(service, iq))

Each file has the requests of one of the XEP's roles, as functions `(service, request)` that
return the payload of the result (an element, or None for an empty result).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import OWNER, PUBSUB, SHIM
from prosody_py.pubsub.requests import entity, owner, publisher, subscriber
from prosody_py.pubsub.requests.request import Request
from prosody_py.pubsub.service import Service
from prosody_py.xmpp import builders
from prosody_py.xmpp.stanza import Stanza

_COLLECTIONS = frozenset(("collection", "associate", "dissociate", "disassociate"))
Handler = Callable[[Service, Request], Any]
HANDLERS: dict[tuple[str, str, str], Handler] = {
    ("get", PUBSUB, "subscriptions"): entity.subscriptions,
    ("get", PUBSUB, "affiliations"): entity.affiliations,
    ("get", PUBSUB, "items"): subscriber.items,
    ("get", PUBSUB, "options"): subscriber.options,
    ("get", PUBSUB, "default"): subscriber.default,
    ("set", PUBSUB, "subscribe"): subscriber.subscribe,
    ("set", PUBSUB, "unsubscribe"): subscriber.unsubscribe,
    ("set", PUBSUB, "options"): subscriber.set_options,
    ("set", PUBSUB, "publish"): publisher.publish,
    ("set", PUBSUB, "retract"): publisher.retract,
    ("set", PUBSUB, "create"): owner.create,
    ("get", OWNER, "configure"): owner.configuration,
    ("set", OWNER, "configure"): owner.configure,
    ("get", OWNER, "default"): owner.default,
    ("set", OWNER, "collection"): owner.collection,
    ("set", OWNER, "delete"): owner.delete,
    ("set", OWNER, "purge"): owner.purge,
    ("get", OWNER, "subscriptions"): owner.subscriptions,
    ("set", OWNER, "subscriptions"): owner.set_subscriptions,
    ("get", OWNER, "affiliations"): owner.affiliations,
    ("set", OWNER, "affiliations"): owner.set_affiliations,
}
FEATURES = (SHIM, *(PUBSUB + "#" + name for name in (
    "config-node", "config-node-max", "create-and-configure", "create-nodes", "delete-items",
    "delete-nodes", "instant-nodes", "item-ids", "leased-subscription", "manage-subscriptions",
    "member-affiliation", "meta-data", "modify-affiliations", "multi-items", "multi-subscribe",
    "outcast-affiliation", "persistent-items", "publish", "publish-node-full",
    "publish-only-affiliation", "publish-options", "publisher-affiliation", "purge-nodes",
    "retract-items", "retrieve-affiliations", "retrieve-default", "retrieve-default-sub",
    "retrieve-items", "retrieve-subscriptions", "rsm", "subscribe",
    "subscription-notifications", "subscription-options")))
"""What every service here can do (section 10); services add to it."""


def answer(service: Service, iq: Stanza, actor: Any = None) -> Stanza:
    """Do what an iq with a <pubsub/> asks for and return the result, or the error.

    `actor` is who asks, by default the sender. Errors of a store are raised as they are.
    """
    try:
        return _result(service, iq, actor or iq.attr.get("from"))
    except PubsubError as error:
        reply = builders.error_reply(iq, error)
        if error.uri is not None:
            condition = reply.get_child("error").get_child(
                error.condition, builders.STANZA_ERRORS)
            condition.children.append(error.uri)
        failed = getattr(error, "failed", None)
        if failed is not None:
            pubsub = Stanza("pubsub", {"xmlns": iq.tags[0].attr["xmlns"]})
            pubsub.children.append(failed)
            reply.children.insert(0, pubsub)
        return reply.reset()


def _result(service: Service, iq: Stanza, actor: str) -> Stanza:
    pubsub = iq.tags[0]
    children = pubsub.tags
    if not children:
        raise PubsubError("bad-request")
    action = children[0]
    xmlns = pubsub.attr.get("xmlns", "")
    handler = HANDLERS.get((iq.attr["type"], xmlns, action.name))
    if handler is None:
        if action.name in _COLLECTIONS:
            raise PubsubError("unsupported", feature="collections")
        raise PubsubError("bad-request", "There is no such request")
    payload = handler(service, Request(actor, iq, pubsub, action))
    reply = builders.reply(iq)
    if payload is not None:
        if payload.name != "pubsub":
            payload, child = Stanza("pubsub", {"xmlns": xmlns}), payload
            payload.children.append(child)
        reply.children.append(payload)
    return reply

