"""Publish-subscribe (XEP-0060) as a library: what PEP and the pubsub component have in common.

Data and owner: a `Service` owns its nodes; a `Node` has configuration, affiliations, subscriptions
and the requests that wait; items are in an archive for each node and only the last one is kept in
memory. Stores are handed in (see setup.Setup), in Prosody's formats; of an address with several
subscriptions a node has more than Prosody reads (Node.several). Nothing here sends: who is to be
told what is given to `Setup.deliver`.

A change is written first and made in memory when that has succeeded, one change of a node's own
data at a time. Publishing takes no lock: the store keeps the order in which it was asked, and
that is the order of the notifications. A node is out of sight before its items are deleted, and
comes back if that fails. What goes wrong is raised as PubsubError or StorageError.

What is to be done at a certain time is in an agenda (leases, digests) with one timer. The ends of
leases are in the options of subscriptions, and so outlive a restart; digests are in memory, sent
when the service ends and lost in a crash.

Left out: subscriptions that have to be configured first, payload transformation by XSLT, payment.
"""
