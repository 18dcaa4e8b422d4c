"""A card processor of our own that speaks Stripe's HTTP protocol, for development and tests.

It owns its books, its clock and its faults, and refuses to know anything of Bursar: the official
Stripe SDK reaches it by base URL alone. Names, shapes and test cards are the ones Stripe publishes.
"""
