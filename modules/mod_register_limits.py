"""Keeps registration within bounds: so many accounts from one address in some time, and lists."""

from __future__ import annotations

import time
from collections import OrderedDict
from ipaddress import ip_address, ip_network
from typing import Any

from prosody_py.api import Options, boolean, hook, integer, period, set_
from prosody_py.config.option import Option
from prosody_py.config.values import Wrong


def network(value: Any):
    """Read an address or a network such as 192.0.2.0/24."""
    try:
        return ip_network(value, strict=False)
    except ValueError:
        raise Wrong from None


_NETWORK = Option("network", "an address or a network such as 192.0.2.0/24", network)


class Config(Options):
    """Who may register how often."""

    min_seconds_between_registrations = period(
        "1 minute", doc="Time between two registrations from one address; 0 for no limit.")
    registration_throttle_max = integer(
        1, min=1, doc="Accounts that one address may make in registration_throttle_period.")
    registration_throttle_period = period(
        None, min="1 second", doc="Time that registration_throttle_max counts for; by default "
        "min_seconds_between_registrations.")
    registration_throttle_cache_size = integer(
        1000, min=1, doc="Addresses that are remembered.")
    registration_allowlist = set_(("127.0.0.1", "::1"), of=_NETWORK,
                                  doc="Addresses without a limit.")
    registration_blocklist = set_((), of=_NETWORK, doc="Addresses that may not register.")
    allowlist_registration_only = boolean(
        False, doc="Only addresses of registration_allowlist may register.")


class Throttle:
    """So many registrations from an address in a period; the oldest address is forgotten first."""

    def __init__(self, most: int, seconds: float, size: int):
        self.most, self.seconds, self.size = most, seconds, size
        self.balances: OrderedDict[str, tuple[float, float]] = OrderedDict()  # left, when

    def admit(self, address: str, now: float) -> bool:
        """Whether one more registration is within the limit; it counts if so."""
        left, then = self.balances.pop(address, (float(self.most), now))
        left = min(float(self.most), left + (now - then) * self.most / self.seconds)
        admitted = left >= 1
        self.balances[address] = (left - 1 if admitted else left, now)
        if len(self.balances) > self.size:
            self.balances.popitem(last=False)
        return admitted


def load(module):
    """Make the throttle."""
    options = module.options
    seconds = options.registration_throttle_period or options.min_seconds_between_registrations
    module.throttle = Throttle(options.registration_throttle_max, seconds,
                               options.registration_throttle_cache_size) if seconds else None


def save(module):
    """Keep the counts over a reload."""
    return module.throttle.balances if module.throttle is not None else None


def restore(module, saved):
    """Take over the counts."""
    if module.throttle is not None and saved:
        module.throttle.balances.update(saved)


def refuse(event, type: str, condition: str, reason: str) -> None:
    """Refuse a registration."""
    event.allowed = False
    event.error_type, event.error_condition, event.reason = type, condition, reason


@hook("user-registering")
def check(module, event):
    """Refuse a registration that is not within the bounds."""
    options = module.options
    session = getattr(event, "session", None)
    text = getattr(event, "ip", None) or getattr(session, "ip", None)
    try:
        address = ip_address((text or "").partition("%")[0])
    except ValueError:
        address = None
    if address is not None and getattr(address, "ipv4_mapped", None):
        address = address.ipv4_mapped
    if listed(address, options.registration_blocklist):
        refuse(event, "auth", "forbidden", "Your address may not register accounts")
    elif listed(address, options.registration_allowlist):
        return
    elif event.allowed and invited(event):
        return  # as many as were invited
    elif options.allowlist_registration_only:
        refuse(event, "auth", "forbidden", "Your address may not register accounts")
    elif module.throttle is not None and not module.throttle.admit(
            source(address), time.monotonic()):
        refuse(event, "wait", "policy-violation",
               "Too many accounts were registered from your address; wait a while")
    if not event.allowed:
        module.log("info", "Refused the registration of %s from %s: %s", event.username,
                   text, event.reason)


def invited(event) -> bool:
    """Whether a valid invitation was shown (mod_invites_register has looked at it)."""
    return (getattr(event, "validated_invite", None) or getattr(
        getattr(event, "session", None), "validated_invite", None)) is not None


def listed(address, networks) -> bool:
    """Whether an address is in one of the networks."""
    return address is not None and any(address in entry for entry in networks)


def source(address) -> str:
    """Return what counts as one address: an IPv4 address, the /64 of an IPv6 one."""
    if address is not None and address.version == 6:
        return str(ip_network((int(address) >> 64 << 64, 64)))
    return str(address)
