"""The deterministic heart of the sandbox: requests in, responses and signed deliveries out.

No socket, no thread and no sleep lives here; an HTTP shell or a test carries out what it answers.
"""
