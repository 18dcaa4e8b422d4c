"""The least work that gives the same durable effect: frozen, and nothing more than named."""
