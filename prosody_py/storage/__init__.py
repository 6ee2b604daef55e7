"""Stores: what modules keep beyond a session, behind interfaces that any driver can serve.

`interface` says what a store can do. `memory` and `sqlite` do it; a driver is a module that
gives one of them a path and a name. `views` builds the three kinds of key-value store on the
rows of one backend, `values` and `archive_query` hold the formats both backends share.
"""
