"""XEP-0077: In-Band Registration, as a whole.

mod_register_ibr makes accounts (when `allow_registration` says so), mod_register_limits keeps
that within bounds, mod_user_account_management serves those who have an account.
"""

DEPENDS = ("register_ibr", "user_account_management", "watchregistrations")
