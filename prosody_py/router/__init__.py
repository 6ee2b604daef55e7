"""Where a stanza goes: from the session that sent it to the handlers that answer for it."""
