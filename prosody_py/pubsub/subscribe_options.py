"""The options of a subscription (XEP-0060 section 6.3): those that this service has.

They are kept under their names on the wire, as in Prosody's stores.
"""

from __future__ import annotations

from typing import Any

from prosody_py.pubsub.errors import PubsubError
from prosody_py.pubsub.namespaces import SUBSCRIBE_OPTIONS
from prosody_py.xmpp.dataforms import Form, FormError, form_type
from prosody_py.xmpp.stanza import Stanza

FORM = Form([
    {"name": "FORM_TYPE", "type": "hidden", "value": SUBSCRIBE_OPTIONS},
    {"name": "pubsub#deliver", "type": "boolean", "value": True, "label": "Enable delivery?"},
    {"name": "pubsub#include_body", "type": "boolean", "value": False,
     "label": "Receive message body in addition to payload?"},
])


def read(filled_in: Stanza | None, current: Any = True) -> dict[str, Any]:
    """Return the options of a submitted form; raises PubsubError "invalid-options"."""
    if filled_in is None or form_type(filled_in) not in (SUBSCRIBE_OPTIONS, None):
        raise PubsubError("invalid-options", "These are no options of a subscription")
    try:
        options = FORM.read(filled_in, current if isinstance(current, dict) else None)
    except FormError as error:
        raise PubsubError("invalid-options", error.text) from None
    options.pop("FORM_TYPE", None)
    return options


def form(options: Any, type: str = "form") -> Stanza:
    """Return the <x/> that shows the options of a subscription."""
    return FORM.element(options if isinstance(options, dict) else {}, type)
