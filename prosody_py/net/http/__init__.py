"""Answering over HTTP/1.1 (RFC 9110, RFC 9112), on the server's own connections.

`server.HttpServer` is the listener of the HTTP ports and has the events that modules hook;
`session.HttpSession` is one connection: the protocol is h11's, which does no I/O. Time and memory
that a peer may take are in `limits`. A request becomes the events "GET /path" and "GET host/path"
(`dispatch`), whose result is the answer.

A small request and its answer cost about 0.2 ms of CPU, the client that measures included; half
of it is h11's, the price of refusing what is malformed.
"""
