"""What receivers want to be told (XEP-0060 section 9.2): "+notify" in their capabilities.

Of a session here it is what mod_cache_c2s_caps knows of it. Of others' resources it is what their
presence to an account of ours has announced: `Away` has that, by account and full JID.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any
from weakref import WeakKeyDictionary

NOTIFY = "+notify"
NOTHING: frozenset[str] = frozenset()


class Interests:
    """The nodes that capabilities ask for, worked out once for each <query/>."""

    def __init__(self) -> None:
        self._known: WeakKeyDictionary[Any, frozenset[str]] = WeakKeyDictionary()

    def of_query(self, query: Any) -> frozenset[str]:
        """Return the nodes that a disco#info <query/> asks for."""
        found = self._known.get(query)
        if found is None:
            found = self._known[query] = frozenset(
                [var[:-len(NOTIFY)] for child in query.tags if child.name == "feature"
                 and (var := child.attr.get("var") or "").endswith(NOTIFY)])
        return found

    def of_session(self, session: Any) -> frozenset[str]:
        """Return the nodes that a session asks for."""
        query = session.extras.get("caps_cache")
        return NOTHING if query is None else self.of_query(query)


class Away:
    """Resources elsewhere that have sent presence to accounts here, and what they ask for.

    At most `limit` of them; those whose presence is oldest are forgotten first.
    """

    def __init__(self, limit: int):
        self._limit = limit
        self._order: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._by_account: dict[str, dict[str, tuple[str, frozenset[str]]]] = {}

    def put(self, account: str, address: str, node: str, wanted: frozenset[str]) -> None:
        """Note that a full JID, whose capabilities are `node`, asks for these nodes."""
        self._by_account.setdefault(account, {})[address] = node, wanted
        self._order[account, address] = None
        self._order.move_to_end((account, address))
        while len(self._order) > self._limit:
            self.remove(*next(iter(self._order)))

    def remove(self, account: str, address: str) -> None:
        """Forget a resource."""
        if self._order.pop((account, address), self) is self:
            return
        own = self._by_account[account]
        del own[address]
        if not own:
            del self._by_account[account]

    def node_of(self, account: str, address: str) -> str | None:
        """Return the capabilities that a resource has announced, None for none."""
        return self._by_account.get(account, {}).get(address, (None, NOTHING))[0]

    def of(self, account: str) -> list[tuple[str, frozenset[str]]]:
        """Return (full JID, nodes that it asks for) of an account's."""
        return [(address, wanted) for address, (_node, wanted)
                in self._by_account.get(account, {}).items()]

    def to_saved(self) -> list[tuple[str, str, str, frozenset[str]]]:
        """Return everything, for a reload."""
        return [(account, address, *self._by_account[account][address])
                for account, address in self._order]

    def __len__(self) -> int:
        return len(self._order)
