"""Pure data and protocol: stanzas, JIDs, the stream's grammar, SASL. Knows no sockets.

Everything here takes bytes or values and gives values or bytes, and is tested without a network.
"""
