"""Bursar's HTTP API, typed: `bursar_client.client.Bursar` is where to begin.

`models`, `rooms` and `client` are written from the API's own document by `make client`; `wire`,
`listing` and `refusals` are written by hand. Nothing here imports anything of the server's.
"""
