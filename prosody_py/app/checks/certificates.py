"""The certificates that the hosts of a configuration will use."""

from __future__ import annotations

import os
from pathlib import Path

from prosody_py.app.places import certificates_folder
from prosody_py.config.config import GLOBAL, Config, HostConfig
from prosody_py.config.problems import ERROR, WARNING, Location, Problem
from prosody_py.net.tls import Certificate, CertificateError, CertificateIndex
from prosody_py.net.tls.certificate import key_beside, load, utc_now

SOON = 30  # days


def check(config: Config) -> tuple[list[Problem], list[str]]:
    """Return problems, and lines that say which certificate each host uses and why."""
    folder = certificates_folder(config)
    index = CertificateIndex(folder)
    problems = []
    if os.path.isdir(folder):
        problems += [Problem(str(one.path), 0, one.text, severity=WARNING)
                     for one in index.problems]
    elif (place := config.location(GLOBAL, "certificates")) is not None:
        problems.append(Problem.at(place, f"the folder {folder} of the option certificates does "
                                   "not exist", "it is made when the server starts", WARNING))
    lines: list[str] = []
    for host in config.hosts:
        if host.enabled and host.component_module is None:
            lines.append(f"{host.name}:")
            lines += ["  " + line for line in _host(config, host, index, problems)]
    return problems, lines


def _host(config: Config, host: HostConfig, index: CertificateIndex,
          problems: list[Problem]) -> list[str]:
    """Judge the certificate of one host; return lines that explain the choice."""
    given = config.get(host.name, "certificate")
    if given:
        place = config.location(host.name, "certificate")
        path = Path(config.directory, given)
        try:
            certificate = load(path, key_beside(path) or path)
        except CertificateError as error:
            problems.append(Problem.at(place, f"certificate of {host.name}: {error}"))
            return []
        problems += _judge(host.name, certificate, place)
        return [f"{path}: named by the option certificate"]
    certificate = index.find(host.name)
    if certificate is None:
        problems.append(Problem.at(
            host.location, f"no certificate for {host.name} in {index.directory}",
            "the server makes a self-signed one when it starts; clients warn about it", WARNING))
    else:
        problems += _judge(host.name, certificate, Location(str(certificate.path)))
    return index.explain(host.name)


def _judge(host: str, certificate: Certificate, place: Location) -> list[Problem]:
    now = utc_now()
    refusal = certificate.refusal(now)
    if refusal is not None:
        return [Problem.at(place, f"the certificate of {host} cannot be used: {refusal}",
                           "renew it", ERROR)]
    found = []
    days = (certificate.not_after - now).days
    if days < SOON:
        found.append(Problem.at(place, f"the certificate of {host} expires in {days} days, on "
                                f"{certificate.not_after:%Y-%m-%d}", "renew it", WARNING))
    if certificate.self_signed:
        found.append(Problem.at(place, f"the certificate of {host} is self-signed",
                                "clients warn about it; get one from a certificate authority",
                                WARNING))
    return found
