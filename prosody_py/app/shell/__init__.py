"""The administration shell: commands that the running server knows, and the client for people.

`protocol` says what goes over the socket, `server` accepts connections, `registry` holds commands
and `sections/` those that come with the server; `client`, `interactive` and `table` are the other
side. The modules admin_socket and admin_shell put the server's side in service.
"""
