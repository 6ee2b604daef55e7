"""The server object, its hosts, and what belongs to a host: users and rosters."""
