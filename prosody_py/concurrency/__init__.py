"""Greenlets and time: where blocking work runs, and timers. Below everything that waits."""
