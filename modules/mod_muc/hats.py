"""XEP-0317: hats, what somebody is in a room beyond role and affiliation.

They are kept with the affiliation, in Prosody's form:
`{"hats": {URI: {"active": true, "title": "Teacher", "required": true}}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from prosody_py.api import Stanza

from .occupant import HATS, OLD_HATS


def hats_of(room: Any, occupant: Any) -> list[Stanza]:
    """Return the <hats/> of an occupant, in both forms that clients know; nothing without hats."""
    data = room._affiliation_data.get(occupant.bare_jid)
    hats = data.get("hats") if data else None
    if not isinstance(hats, Mapping):
        return []
    worn = [(uri, hat) for uri, hat in hats.items() if isinstance(hat, Mapping)
            and hat.get("active")]
    if not worn:
        return []
    result = []
    for xmlns in (HATS, OLD_HATS):
        element = Stanza("hats", {"xmlns": xmlns})
        for uri, hat in worn:
            attr = {"uri": str(uri), "title": str(hat.get("title") or "")}
            if xmlns == HATS and hat.get("hue"):
                attr["hue"] = str(hat["hue"])
            element.tag("hat", attr).up()
        result.append(element.reset())
    return result
