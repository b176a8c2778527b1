"""HTTP/1.1 to upstreams: one connection, the pool of them, and patience with peers that are loose about it."""
