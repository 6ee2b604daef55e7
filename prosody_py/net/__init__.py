"""Sockets, TLS and ports. Knows no XMPP."""
