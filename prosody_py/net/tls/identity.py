"""The names in a certificate, and whether they are the peer's (RFC 6120 section 13.7, RFC 9525)."""

from dataclasses import dataclass
from ipaddress import ip_address

from cryptography import x509
from cryptography.x509.oid import NameOID, ObjectIdentifier

from prosody_py.xmpp import jid, prep

SRV_NAME = ObjectIdentifier("1.3.6.1.5.5.7.8.7")
XMPP_ADDR = ObjectIdentifier("1.3.6.1.5.5.7.8.5")
XMPP_SERVICES = ("xmpp-client", "xmpp-server")

_IA5_STRING = 0x16
_UTF8_STRING = 0x0C
# Longer than the longest address: three parts of 1,023 bytes, "@" and "/" (RFC 7622).
_MAX_NAME = 3071
# A certificate may have thousands of names; nobody honest needs that many.
_MAX_NAMES = 1000


@dataclass(frozen=True)
class PresentedNames:
    """What a certificate calls its holder, as written in it.

    ``dns``, ``ip`` and ``srv`` are lower case ASCII, ``srv`` as (service, domain) without the
    underscore; ``xmpp`` are addresses before preparation. ``common`` is set only if there is no
    name of the other kinds (RFC 6125 section 6.4.4).
    """

    dns: tuple[str, ...] = ()
    srv: tuple[tuple[str, str], ...] = ()
    xmpp: tuple[str, ...] = ()
    ip: tuple[str, ...] = ()
    common: tuple[str, ...] = ()


def presented_names(certificate: x509.Certificate) -> PresentedNames:
    """Return the names in a certificate; none if its extensions cannot be parsed."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return PresentedNames(common=_common_names(certificate))
    # A broken extension must not bring the subject's common name back into play.
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        return PresentedNames()
    dns, srv, xmpp, ip = [], [], [], []
    for name in list(alternatives)[:_MAX_NAMES]:
        if isinstance(name, x509.DNSName):
            dns.extend(_domain(name.value))
        elif isinstance(name, x509.IPAddress):
            ip.append(str(name.value))
        elif isinstance(name, x509.OtherName) and name.type_id == SRV_NAME:
            srv.extend(_service_name(decode_string(name.value, _IA5_STRING)))
        elif isinstance(name, x509.OtherName) and name.type_id == XMPP_ADDR:
            address = decode_string(name.value, _UTF8_STRING)
            xmpp.extend([address] if address else [])
    found = dns or srv or xmpp or ip
    return PresentedNames(tuple(dns), tuple(srv), tuple(xmpp), tuple(ip),
                          () if found else _common_names(certificate))


def hosts_named(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return every domain a certificate is for in XMPP, ``*.`` ones included, as A-labels."""
    names = presented_names(certificate)
    domains = [*names.dns, *names.common, *names.ip]
    domains += [domain for service, domain in names.srv if service in XMPP_SERVICES]
    domains += [host for host in map(_domain_only, names.xmpp) if host]
    return tuple(dict.fromkeys(domains))


def verify_identity(certificate: x509.Certificate, host: str, service: str) -> bool:
    """Return whether a certificate is for a domain.

    ``host`` is the domain asked for, Unicode or A-labels; ``service`` is ``xmpp-client`` or
    ``xmpp-server``. A wildcard stands for exactly one whole label, the left-most (RFC 9525
    section 6.3). Does not judge who signed the certificate nor its dates.
    """
    wanted = ascii_host(host)
    if wanted is None:
        return False
    names = presented_names(certificate)
    if is_ip_address(wanted):
        return wanted in names.ip
    return (any(matches(name, wanted) for name in names.dns + names.common)
            or (service, wanted) in names.srv
            or any(_domain_only(address) == wanted for address in names.xmpp))


def client_addresses(certificate: x509.Certificate) -> list[str]:
    """Return the prepared XMPP addresses that a client certificate is for (XEP-0178 section 2)."""
    addresses = (jid.prep(address, True) for address in presented_names(certificate).xmpp)
    return list(dict.fromkeys(address for address in addresses if address))


def matches(pattern: str, host: str) -> bool:
    """Return whether a name in a certificate, perhaps ``*.domain``, covers a host; A-labels."""
    if not pattern.startswith("*."):
        return pattern == host
    label, _, rest = host.partition(".")
    return bool(label) and rest == pattern[2:] and not is_ip_address(host)


def ascii_host(host: str) -> str | None:
    """Return a host as A-labels in lower case without a trailing dot, or None if it is none."""
    address = host.removeprefix("[").removesuffix("]")
    if is_ip_address(address):
        return str(ip_address(address))
    try:
        return prep.idna_to_ascii(host).lower().removesuffix(".") or None
    except prep.PrepError:
        return None


def is_ip_address(text: str) -> bool:
    """Return whether a text is an IPv4 or IPv6 address."""
    # The parser is slow in saying no, and most names end with a letter.
    if ":" not in text and not text[-1:].isdigit():
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def decode_string(der: bytes, tag: int) -> str | None:
    """Return the text of one DER string with the tag, or None for anything else.

    Checks what DER asks for: a definite length in its shortest form that ends with the data.
    """
    if len(der) < 2 or der[0] != tag:
        return None
    length, start = der[1], 2
    if length >= 0x80:
        start = 2 + (length & 0x7F)
        if not 1 <= length & 0x7F <= 2 or len(der) < start:
            return None
        length = int.from_bytes(der[2:start], "big")
        if length < (0x80 if start == 3 else 0x100):
            return None
    if length != len(der) - start or not 0 < length <= _MAX_NAME:
        return None
    try:
        text = der[start:].decode("ascii" if tag == _IA5_STRING else "utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def encode_string(text: str, tag: int) -> bytes:
    """Return a text of at most 65,535 bytes as one DER string."""
    data = text.encode()
    size = len(data)
    if size < 0x80:
        return bytes((tag, size)) + data
    octets = size.to_bytes(1 if size < 0x100 else 2, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + data


def srv_name(service: str, domain: str) -> x509.OtherName:
    """Return an SRVName such as ``_xmpp-client.example.com`` (RFC 4985)."""
    return x509.OtherName(SRV_NAME, encode_string(f"_{service}.{domain}", _IA5_STRING))


def xmpp_address(address: str) -> x509.OtherName:
    """Return an id-on-xmppAddr (RFC 6120 section 13.7.1.4)."""
    return x509.OtherName(XMPP_ADDR, encode_string(address, _UTF8_STRING))


def _common_names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return ()
    return tuple(name for attribute in names[:_MAX_NAMES] if isinstance(attribute.value, str)
                 for name in _domain(attribute.value))


def _domain(text: str) -> list[str]:
    """Return a domain or wildcard domain as it is compared, or nothing if it is neither."""
    star = text.startswith("*.")
    host = ascii_host(text[2:] if star else text)
    if host is None or star and (is_ip_address(host) or "*" in host):
        return []
    return ["*." + host if star else host]


def _service_name(text: str | None) -> list[tuple[str, str]]:
    service, dot, domain = (text or "").partition(".")
    host = ascii_host(domain)
    if not dot or not service.startswith("_") or host is None:
        return []
    return [(service[1:].lower(), host)]


def _domain_only(address: str) -> str | None:
    node, host, resource = jid.prepped_split(address, True)
    return ascii_host(host) if host and node is None and resource is None else None
