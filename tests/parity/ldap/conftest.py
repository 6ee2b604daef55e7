"""A real LDAP server: Debian's slapd, fetched and unpacked, run as an ordinary process."""

from __future__ import annotations

import datetime
import importlib.util
import os
import re
import socket
import subprocess
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

import gevent
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

BASE, ADMIN = "dc=localhost", "cn=admin,dc=localhost"
CONFIGURATION = """
include {etc}/schema/core.schema
include {etc}/schema/cosine.schema
include {etc}/schema/inetorgperson.schema
modulepath {modules}
moduleload back_mdb
TLSCertificateFile {folder}/cert.pem
TLSCertificateKeyFile {folder}/key.pem
database mdb
maxsize 10485760
suffix "{base}"
rootdn "{admin}"
rootpw secret
directory {folder}/data
"""
ENTRIES = """
dn: dc=localhost
objectClass: dcObject
objectClass: organization
dc: localhost
o: The house

dn: ou=people,dc=localhost
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=localhost
objectClass: organizationalUnit
ou: groups

dn: uid=juliet,ou=people,dc=localhost
objectClass: inetOrgPerson
uid: juliet
cn: Juliet
cn: Juliet Capulet
sn: Capulet
displayName: Juliet
userPassword: secret

dn: uid=romeo,ou=people,dc=localhost
objectClass: inetOrgPerson
uid: romeo
cn: Romeo
sn: Montague
displayName: Romeo
userPassword: hidden

dn: cn=lovers,ou=groups,dc=localhost
objectClass: groupOfNames
cn: lovers
member: uid=juliet,ou=people,dc=localhost
description: juliet
description: romeo
"""


@dataclass
class LdapServer:
    """Where the server is, and the certificate that it shows."""

    port: int
    certificate: str
    base: str = BASE
    admin: str = ADMIN

    @property
    def address(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"


def write_certificate(folder: Path) -> None:
    """Write a key and a certificate for 127.0.0.1 that is signed with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                       critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256()))
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))


def needed_packages() -> list[str]:
    """Return slapd and the libraries that it depends on, but for the C library."""
    answer = subprocess.run(["apt-cache", "depends", "slapd"], capture_output=True, text=True,
                            timeout=60)
    libraries = set(re.findall(r"Depends: (lib[a-z0-9][\w.+-]*)", answer.stdout))
    return ["slapd", *sorted(libraries - {"libc6", "libcrypt1"})]


@pytest.fixture(scope="session")
def slapd_program(request):
    """Return the program, its environment and its folders; skips where it cannot be had."""
    tests = request.config.pluginmanager.get_plugin(str(Path(__file__).parents[2] / "conftest.py"))
    target = tests.CACHE / "slapd"
    if not target.is_dir():
        target.parent.mkdir(parents=True, exist_ok=True)
        reason = tests.fetch(target, needed_packages()) or (
            None if (target / "slapd").is_dir() else "there is no package slapd")
        if reason:
            pytest.skip(reason)
    places = {str(path.parent) for path in target.rglob("*.so*")}
    program = target / "slapd/usr/sbin/slapd"
    environment = {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(places))}
    if subprocess.run([program, "-VV"], env=environment, capture_output=True).returncode:
        pytest.skip("slapd does not run on this machine")
    return program, environment, target / "slapd"


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@pytest.fixture(scope="session")
def ldap_server(slapd_program, tmp_path_factory):
    """Return a running server with a few people; skips where there is none."""
    if importlib.util.find_spec("ldap3") is None:
        pytest.skip("the package ldap3 is not installed")
    program, environment, place = slapd_program
    folder = tmp_path_factory.mktemp("slapd")
    (folder / "data").mkdir()
    write_certificate(folder)
    file = folder / "slapd.conf"
    file.write_text(CONFIGURATION.format(
        etc=place / "etc/ldap", modules=place / "usr/lib/ldap", folder=folder, base=BASE,
        admin=ADMIN))
    (folder / "entries.ldif").write_text(ENTRIES.lstrip())
    subprocess.run([program, "-T", "add", "-f", file, "-l", folder / "entries.ldif"],
                   env=environment, check=True, capture_output=True, timeout=60)
    server = LdapServer(free_port(), str(folder / "cert.pem"))
    process = subprocess.Popen([program, "-f", file, "-h", f"ldap://{server.address}", "-d", "0"],
                               env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_for(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(10)


def wait_for(server: LdapServer, process: subprocess.Popen) -> None:
    """Return when the server listens; fails when it does not within ten seconds."""
    for _ in range(500):
        try:
            socket.create_connection(("127.0.0.1", server.port), 5).close()
        except OSError:
            assert process.poll() is None, "slapd has ended"
            gevent.sleep(0.02)
        else:
            return
    raise AssertionError("slapd does not listen")
