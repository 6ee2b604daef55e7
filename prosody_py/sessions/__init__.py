"""Sessions: who is connected, from the first byte to the last."""
