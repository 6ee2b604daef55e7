"""The options of the HTTP client."""

from __future__ import annotations

from prosody_py.config.options import Options, integer, mapping, path, period, size


class HttpClientOptions(Options):
    """What the HTTP client reads from the global section."""

    http_client_connect_timeout = period(
        "20 seconds", min="0.1 seconds", where="global",
        doc="How long connecting to a web server may take, TLS included.")
    http_client_timeout = period(
        "2 minutes", min="0.1 seconds", where="global",
        doc="Silence of a web server after which a request has failed.")
    http_client_max_body = size(
        "10 MB", min=0, where="global", doc="Longest answer that is taken.")
    http_client_max_connections = integer(
        100, min=1, where="global", doc="Requests under way at once; others wait.")
    http_client_max_connections_per_server = integer(
        20, min=1, where="global", doc="Requests under way at once to one web server.")
    client_https_ssl = mapping(
        None, where="global",
        fields={"cafile": path(None, doc="File of trusted certificates."),
                "capath": path(None, doc="Folder of trusted certificates.")},
        doc="What certificates of web servers are checked against, in place of the system's roots.")
