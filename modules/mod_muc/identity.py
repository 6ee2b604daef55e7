"""XEP-0421: occupant ids, the same for an account in a room whatever its nickname.

An id is HMAC-SHA-256 of the room's salt with the account's address as key, in base64, as Prosody
makes it: the ids of rooms that were taken over from there stay the same. The salt is kept with the
room, so ids survive restarts, and those of two rooms cannot be compared.
"""

from __future__ import annotations

import base64
import hmac
import uuid
from typing import Any

from prosody_py.api import Stanza

from .occupant import OCCUPANT_ID


class Identity:
    """Occupant ids; mixed into Room."""

    def get_salt(self) -> str:
        """Return the room's salt; it is made when it is first needed."""
        salt = self._data.get("occupant_id_salt")
        if not salt:
            salt = self._data["occupant_id_salt"] = str(uuid.uuid4())
        return salt

    def get_occupant_id(self, occupant: Any) -> str | None:
        """Return the id of an occupant."""
        if occupant.stable_id is None and self.module.options.muc_occupant_id:
            occupant.stable_id = self.id_of(occupant.bare_jid)
        return occupant.stable_id

    def id_of(self, bare_jid: str) -> str:
        """Return the id that an account has in this room."""
        digest = hmac.digest(bare_jid.encode("utf-8", "replace"), self.get_salt().encode(),
                             "sha256")
        return base64.b64encode(digest).decode()

    def occupant_id_element(self, occupant: Any) -> Stanza:
        """Return the <occupant-id/>."""
        return Stanza("occupant-id", {"xmlns": OCCUPANT_ID, "id": occupant.stable_id})
