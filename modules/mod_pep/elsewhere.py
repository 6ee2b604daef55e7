"""Resources on other servers and components: what they want, and what they are told.

They announce themselves by presence to an account here; what their capabilities ask for is kept in
`module.away` (interest).
"""

from __future__ import annotations

from prosody_py.api import Stanza, jid

from .interest import NOTHING
from .sending import send_last_items

MAX_ASKED = 32  # requests that wait for answers of one domain


def from_elsewhere(module, account: str, sender: str, element: Stanza) -> None:
    """Note the capabilities in presence from another server or a component."""
    node = module.caps.node_of(element)
    if node == module.away.node_of(account, sender):
        return
    if node is None:
        module.away.remove(account, sender)
        return
    known = module.caps.lookup(module.dependencies["cache_c2s_caps"], node)
    if known is not None:
        arrived(module, account, sender, node, known)
    elif module.asked[jid.host(sender)] < MAX_ASKED:  # else when its presence comes again
        module.asked[jid.host(sender)] += 1
        module.away.put(account, sender, node, NOTHING)
        module.add_timer(0, ask, module, account, sender, node)


def ask(_now, module, account: str, sender: str, node: str) -> None:
    """Ask a resource elsewhere what it wants."""
    host = jid.host(sender)
    try:
        query = module.caps.learn(module.dependencies["cache_c2s_caps"], node, account, sender,
                                  module)
    finally:
        module.asked[host] -= 1
        if not module.asked[host]:
            del module.asked[host]
    if query is not None and module.away.node_of(account, sender) == node:
        arrived(module, account, sender, node, query)


def arrived(module, account: str, sender: str, node: str, query) -> None:
    """Send a resource elsewhere the last items that it wants."""
    wanted = module.interests.of_query(query)
    module.away.put(account, sender, node, wanted)
    if wanted:
        send_last_items(module, jid.node(account), sender, jid.bare(sender), wanted)
