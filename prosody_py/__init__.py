"""prosody-py: an XMPP server in Python whose module API is Prosody's."""

__version__ = "0.1.0"
