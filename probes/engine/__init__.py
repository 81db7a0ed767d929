"""The way out: how a request of a run reaches a portal and its answer comes back, by either of two engines.

`own` is the house's, on sockets of its own: one connection per origin and run, every phase stamped as it happens.
`stock` is httpx's, the reference it is held against. Both share how names are looked up and how connections are made.
"""
