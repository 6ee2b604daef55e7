"""XEP-0215: External Service Discovery. Tells clients of STUN and TURN servers and the like.

Services come from the option `external_services` and from items "external_service" of other
modules: dicts of `type`, `host`, `port`, `transport`, `name`, `username`, `password`, `expires`
(seconds since 1970), `restricted`; with a `secret`, shared with the service, credentials are made
for each request, good for `ttl` seconds, as coturn and others check them (the draft "A REST API For
Access To TURN Services").

`external_service/services` and `external_service/credentials` (origin, stanza, requested_type or
requested_credentials, services) are fired before an answer; handlers change the list `services`.
"""

from __future__ import annotations

import base64
import hmac
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from prosody_py.api import (
    Event,
    Options,
    StanzaError,
    array,
    datetime,
    hook,
    integer,
    jid,
    period,
    set_,
    stanza,
    string,
)
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong

VERSIONS = ("urn:xmpp:extdisco:2", "urn:xmpp:extdisco:1")
FEATURES = VERSIONS
ITEM = "external_service"
MOST_REQUESTED = 20  # services that one request may ask credentials for


def read_service(value: Any) -> dict[str, Any]:
    """Read an entry of external_services."""
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise Wrong
    service = dict(value)
    port, expires = service.get("port"), service.get("expires")
    if port is not None and not (isinstance(port, int) and 0 < port < 65536):
        raise Wrong
    if isinstance(expires, str):
        service["expires"] = datetime.parse_datetime(expires)
        if service["expires"] is None:
            raise Wrong
    return service


class Config(Options):
    """The services, and what those that say less have in common."""

    external_services = array((), of=Option(
        "service", "{type:, host:, port:, transport:, name:, username:, password:, secret:, ttl:, "
        "expires:, restricted:}", read_service),
        doc="Services that clients are told of.")
    external_service_host = string(None, doc="Where services without a host are; the host itself.")
    external_service_port = integer(None, min=1, max=65535, doc="Port of services without one.")
    external_service_secret = string(
        None, secret=True, doc="Shared with services that say `secret: true`.")
    external_service_ttl = period(
        "1 day", min="1 minute", max="1 year", doc="How long credentials made here are good for.")
    external_service_access = set_(
        (), of=string(), doc="Who may ask beside the host's own users: accounts or domains.")


def load(module):
    """Answer both versions."""
    for xmlns in VERSIONS:
        for name, answer in (("services", tell), ("credentials", give)):
            module.hook(f"iq-get/host/{xmlns}:{name}", partial(answer, module))
    if any(service.get("secret") is True for service in module.options.external_services) and (
            not module.options.external_service_secret):
        module.log("error", "A service of external_services has `secret: true`, but there is no "
                            "external_service_secret; clients get no credentials for it")


def require_access(module, event) -> None:
    """Raise StanzaError unless the sender may know the services."""
    if event.origin.type == "c2s":
        return
    sender = event.stanza.attr.get("from")
    allowed = module.options.external_service_access
    if jid.bare(sender) not in allowed and jid.host(sender) not in allowed:
        raise StanzaError("forbidden", "The services are for users of this server")


def services_of(module) -> list[dict[str, Any]]:
    """Return all services, complete and with credentials."""
    now = time.time()
    configured = module.options.external_services
    return [prepared(module, item, now)
            for item in [*configured, *map(plain, module.get_host_items(ITEM))]]


def plain(item: Any) -> dict[str, Any]:
    """Return an item as a dict; it may be a table of Lua."""
    return dict(item) if isinstance(item, Mapping) else item.copy()


def prepared(module, item: dict[str, Any], now: float) -> dict[str, Any]:
    """Return a service with what is the same for all, and with credentials if we make them."""
    options = module.options
    service = {"host": options.external_service_host or module.host,
               "port": options.external_service_port, **item}
    secret = service.pop("secret", None)
    ttl = service.pop("ttl", None) or options.external_service_ttl
    service.pop("algorithm", None)
    if secret is True:
        secret = options.external_service_secret
    if service.get("password"):
        service["restricted"] = True
    if secret:
        expires = int(now + ttl)
        username = service.get("username")
        name = f"{expires}:{username}" if username else str(expires)
        digest = hmac.digest(str(secret).encode("utf-8", "surrogateescape"), name.encode(), "sha1")
        service.update(username=name, password=base64.b64encode(digest).decode(), expires=expires,
                       restricted=True)
    return service


def element(service: dict[str, Any]):
    """Return a <service/>."""
    port, expires = service.get("port"), service.get("expires")
    return stanza.stanza("service", {
        "type": service.get("type"), "host": service.get("host"),
        "port": None if port is None else str(int(port)),
        **{name: service.get(name) for name in ("transport", "name", "username", "password")},
        "restricted": "1" if service.get("restricted") else None,
        "expires": datetime.format_datetime(int(expires)) if expires else None})


def answer(event, xmlns: str, name: str, services, **attr: str | None) -> bool:
    """Send the services."""
    reply = stanza.reply(event.stanza)
    inside = stanza.stanza(name, {"xmlns": xmlns, **attr})
    for service in services:
        inside.add_child(element(service))
    event.origin.send(reply.add_child(inside))
    return True


def tell(module, event) -> bool:
    """Tell of all services, or of those of one type."""
    require_access(module, event)
    request = event.stanza.tags[0]
    wanted = request.attr.get("type")
    services = [service for service in services_of(module)
                if wanted is None or service.get("type") == wanted]
    asked = Event(origin=event.origin, stanza=event.stanza, requested_type=wanted,
                  services=services)
    module.fire_event("external_service/services", asked)
    return answer(event, request.attr["xmlns"], "services", asked.services, type=wanted)


def requested(request) -> list[dict[str, str]]:
    """Return what credentials are wanted for; raises StanzaError."""
    found = [dict(child.attr) for child in request.childtags("service")]
    if not found or any(not one.get("host") or not one.get("type") for one in found):
        raise StanzaError("bad-request", "Both host and type of a service are needed")
    if len(found) > MOST_REQUESTED:
        raise StanzaError("policy-violation", f"At most {MOST_REQUESTED} services can be named")
    return found


def give(module, event) -> bool:
    """Give credentials for the services that are named."""
    require_access(module, event)
    request = event.stanza.tags[0]
    wanted = requested(request)
    services = [service for service in services_of(module) if service.get("restricted")
                and any(matches(service, one) for one in wanted)]
    asked = Event(origin=event.origin, stanza=event.stanza, requested_credentials=wanted,
                  services=services)
    module.fire_event("external_service/credentials", asked)
    if not asked.services:
        raise StanzaError("item-not-found", "There are no credentials for such a service")
    return answer(event, request.attr["xmlns"], "credentials", asked.services)


def matches(service: dict[str, Any], wanted: dict[str, str]) -> bool:
    """Whether a service is the one of a request; the port counts only if it is named."""
    port = wanted.get("port")
    return (service.get("type") == wanted["type"] and service.get("host") == wanted["host"]
            and (port is None or str(service.get("port")) == port))


@hook("item-added/" + ITEM)
def check(module, event):
    """Say of an item without a type or a host that nobody can use it."""
    item = plain(event.item)
    if not item.get("type"):
        module.log("error", "An external service of mod_%s has no type", event.source.name)
