"""The subject of a room (XEP-0045 sections 7.2.15 and 8.1)."""

from __future__ import annotations

import time
from typing import Any

from prosody_py.api import StanzaError, datetime, stanza


class Subject:
    """What a room talks about; mixed into Room."""

    def get_subject(self) -> tuple[str, str]:
        """Return who has set the subject (an address in the room) and the subject."""
        return self._data.get("subject_from") or self.jid, self._data.get("subject") or ""

    def set_subject(self, sender: str | None, subject: str | None) -> bool:
        """Set the subject, save it and tell the room."""
        data = self._data
        data["subject_from"], data["subject"] = sender or self.jid, subject or ""
        data["subject_time"] = int(time.time())
        self.save()
        message = stanza.message({"from": sender or self.jid, "type": "groupchat"})
        self.broadcast_message(message.text_tag("subject", subject))
        return True

    def subject_message(self) -> Any:
        """Return the message that tells who enters; it has a subject even if there is none."""
        sender, subject = self.get_subject()
        message = stanza.message({"from": sender, "type": "groupchat"})
        message.text_tag("subject", subject)
        if (when := self._data.get("subject_time")) is not None:
            message.add_child(datetime.delay(when, self.jid))
        return message


def change(module, event):
    """Act on a message that has a subject and no body (section 8.1)."""
    element = event.stanza
    subject = element.get_child("subject")
    if subject is None or element.get_child("body") or element.get_child("thread"):
        return None
    room, occupant = event.room, event.occupant
    if occupant is None:
        raise StanzaError("not-acceptable", "You are not in this room", type="cancel")
    if occupant.role != "moderator" and (
            occupant.role != "participant" or not room.get_changesubject()):
        raise StanzaError("forbidden", "You may not change the subject")
    most = module.options.muc_max_subject_length
    if len(subject.get_text()) > most:
        raise StanzaError("policy-violation", f"A subject has at most {most} characters",
                          type="modify")
    data = room._data
    data["subject_from"], data["subject"] = occupant.nick, subject.get_text()
    data["subject_time"] = int(time.time())
    room.save()
    element.attr["from"] = occupant.nick
    room.broadcast_message(element)
    return True


def tell(module, event):
    """Tell a session that has entered what the subject is; after it comes what is live."""
    event.room.route_stanza(_to(event.room.subject_message(), event.jid))


def _to(message, address):
    message.attr["to"] = address
    return message


def load(module):
    """Hook the events."""
    module.hook_own("muc-occupant-groupchat", change, 50)
    module.hook_own("muc-occupant-session-new", tell, 20)
