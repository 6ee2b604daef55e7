"""Options that Prosody has or had and this server does not read, with what to do instead."""

OBSOLETE: dict[str, tuple[str | None, str]] = {
    # name: (the option that took its place, advice)
    "anonymous_login": ("authentication", "write 'authentication: anonymous' for the host"),
    "archive_cleanup_interval": (None, "the archive is cleaned by itself; remove it"),
    "blacklist_on_registration_throttle_overload": (
        "blocklist_on_registration_throttle_overload", ""),
    "bosh_interfaces": ("http_interfaces", ""),
    "bosh_ports": ("http_ports", ""),
    "cross_domain_bosh": ("http_cors_override", ""),
    "cross_domain_websocket": ("http_cors_override", ""),
    "daemonize": (None, "the server stays in the foreground; let systemd or the like start it"),
    "debug": ("log", "write 'log: {level: debug}'"),
    "disallow_s2s": ("modules_disabled", "write 'modules_disabled: [s2s]' for the host"),
    "dns_timeout": (None, "remove it"),
    "gc": (None, "memory is managed by itself; remove it"),
    "legacy_ssl_interfaces": ("c2s_direct_tls_interfaces", ""),
    "legacy_ssl_ports": ("c2s_direct_tls_ports", ""),
    "legacy_ssl_ssl": ("c2s_direct_tls_ssl", ""),
    "muc_log_cleanup_interval": (None, "the archive is cleaned by itself; remove it"),
    "network_backend": (None, "there is one network backend; remove it"),
    "no_daemonize": (None, "the server always stays in the foreground; remove it"),
    "prosody_group": (None, "set the group in the systemd unit; remove it here"),
    "prosody_user": (None, "set the user in the systemd unit; remove it here"),
    "registration_blacklist": ("registration_blocklist", ""),
    "registration_whitelist": ("registration_allowlist", ""),
    "require_encryption": ("c2s_require_encryption", "for servers it is s2s_require_encryption"),
    "s2s_dns_resolvers": (None, "remove it"),
    "setgid": (None, "set the group in the systemd unit; remove it here"),
    "setuid": (None, "set the user in the systemd unit; remove it here"),
    "syslog_facility": (None, "remove it"),
    "use_libevent": (None, "there is one network backend; remove it"),
    "vcard_compatibility": ("modules_enabled", "add the module vcard_legacy instead"),
    "whitelist_registration_only": ("allowlist_registration_only", ""),
}


def advice(name: str) -> str | None:
    """Return what to write instead of an obsolete option, None when `name` is none."""
    if name not in OBSOLETE:
        return None
    replacement, text = OBSOLETE[name]
    if replacement is None or (text and replacement in text):
        return text
    return f"use {replacement} instead" + (f"; {text}" if text else "")
