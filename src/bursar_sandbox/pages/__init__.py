"""What a customer sees: the hosted checkout page and the 3-D Secure page, in plain HTML."""
