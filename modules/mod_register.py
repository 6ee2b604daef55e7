"""XEP-0077: In-Band Registration, as a whole.

mod_register_ibr makes accounts, mod_register_limits keeps that within bounds,
mod_user_account_management serves those who have an account.
"""

from prosody_py.api import Options, boolean, string

DEPENDS = ("user_account_management", "watchregistrations")


class Config(Options):
    """Whether there is registration at all."""

    allow_registration = boolean(False, doc="Let anybody make an account.")
    registration_url = string(None, doc="Web page where accounts are made, instead of in-band; "
                                        "clients show it.")


def load(module):
    """Load what makes accounts only where that is wanted: Prosody's would not ask."""
    if module.options.allow_registration or module.options.registration_url:
        module.depends("register_ibr")
