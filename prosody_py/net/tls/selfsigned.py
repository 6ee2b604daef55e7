"""A self-signed certificate, for trying out and for peers that pin it."""

import os
import tempfile
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from prosody_py.net.tls import identity
from prosody_py.net.tls.certificate import Certificate, load, utc_now
from prosody_py.xmpp import prep

# Some clients accept no longer life for a server certificate, not even for one their user trusts.
LIFETIME = timedelta(days=825)
# A clock that is behind should still find the new certificate valid.
_BACKDATED = timedelta(hours=1)
# The longest common name (RFC 5280 appendix A.1).
_MAX_COMMON_NAME = 64


def make(host: str, directory: str | os.PathLike) -> Certificate:
    """Make ``<host>.key`` and ``<host>.crt`` in a directory and return the certificate.

    The key is P-256, readable by its owner only. The names are the host, its subdomains by a
    wildcard (where components live), and both XMPP services; A-labels. Valid for 825 days.

    Raises FileExistsError if one of the files is there, ValueError if ``host`` is no host name.
    """
    name = identity.ascii_host(host)
    if name is None:
        raise ValueError(f"not a host name: {host!r}")
    key = ec.generate_private_key(ec.SECP256R1())
    path = Path(directory, f"{name}.crt")
    key_path = path.with_suffix(".key")
    if path.exists():
        raise FileExistsError(f"{path} exists")
    _write_new(key_path, key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), 0o600)
    try:
        _write_new(path, _sign(name, key).public_bytes(Encoding.PEM), 0o644)
    except BaseException:
        key_path.unlink()
        raise
    return load(path, key_path)


def _sign(name: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_MAX_COMMON_NAME])])
    now = utc_now()
    public = key.public_key()
    usages = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False,
        data_encipherment=False, key_agreement=False, key_cert_sign=False, crl_sign=False,
        encipher_only=False, decipher_only=False)
    # Servers show the same certificate when they connect to other servers.
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH,
                                      ExtendedKeyUsageOID.CLIENT_AUTH])
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED).not_valid_after(now - _BACKDATED + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(_alternatives(name)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usages, critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256()))


def _alternatives(name: str) -> list[x509.GeneralName]:
    if identity.is_ip_address(name):
        return [x509.IPAddress(ip_address(name))]
    return [x509.DNSName(name), x509.DNSName(f"*.{name}"),
            identity.srv_name("xmpp-client", name), identity.srv_name("xmpp-server", name),
            identity.xmpp_address(prep.idna_to_unicode(name))]


def _write_new(path: Path, data: bytes, mode: int) -> None:
    """Write a file that is either there completely or not at all, and replaces none."""
    handle, temporary = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link fails if the name is taken.
        os.link(temporary, path)
    finally:
        os.unlink(temporary)
