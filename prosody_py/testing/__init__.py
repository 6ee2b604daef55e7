"""A server and clients for the tests of modules, over real sockets."""
