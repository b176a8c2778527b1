"""HTTP: the app every service is built on, and everything between a socket and a handler."""
