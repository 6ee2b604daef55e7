"""Says by Prosody's name what the server does as a process on POSIX systems.

Signals, the pid file and the user are the server's own. Modules that depend on this one ask whether
SIGUSR1 and SIGUSR2 are events: they are, `signal/SIGUSR1` and `signal/SIGUSR2`.
"""

GLOBAL = True


def load(module):
    """Offer what Prosody's module offers."""
    module.exports.features = {"signal_events": True}
