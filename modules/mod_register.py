"""XEP-0077: In-Band Registration, as a whole.

mod_register_ibr makes accounts, mod_register_limits keeps that within bounds,
mod_user_account_management serves those who have an account.
"""

from prosody_py.api import Options, boolean

DEPENDS = ("user_account_management", "watchregistrations")


class Config(Options):
    """Whether there is registration at all."""

    allow_registration = boolean(False, doc="Let anybody make an account.")


def load(module):
    """Load what makes accounts only where that is wanted: Prosody's would not ask."""
    if module.options.allow_registration:
        module.depends("register_ibr")
