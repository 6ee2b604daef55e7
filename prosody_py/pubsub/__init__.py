"""Publish-subscribe (XEP-0060) as a library: what PEP and the pubsub component have in common.

Data and owner: a `Service` owns its nodes; a `Node` has configuration, affiliations, subscriptions
and the requests that wait; items are in an archive for each node and only the last one is kept in
memory. Stores are handed in (see service.Setup), in Prosody's formats. Nothing here sends: who is
to be told what is given to `Setup.deliver`.

A change is written first and made in memory when that has succeeded, one change of a node's own
data at a time. Publishing takes no lock: the store keeps the order in which it was asked, and
that is the order of the notifications. A node is out of sight before its items are deleted, and
comes back if that fails. What goes wrong is raised as PubsubError or StorageError.

Left out: collection nodes (XEP-0248), several subscriptions of one address to one node (SubIDs),
leased subscriptions, payload transformation by XSLT, and payment.
"""
