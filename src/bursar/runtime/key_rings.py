"""The key ring of an installation: every secret its settings name, in its place."""

from typing import Final

from bursar.runtime.crypto import KeyRing
from bursar.runtime.secret import Secret, derive
from bursar.runtime.settings import Settings

_OWN_SECRETS: Final = {
    "access-token": "jwt_secret",
    "refresh-token": "jwt_refresh_secret",
    "api-key": "api_key_hash_salt",
}


def key_ring(settings: Settings) -> KeyRing:
    """Every key of this installation, and those before them while the secret key is exchanged."""
    given: dict[str, Secret] = {
        label: getattr(settings, name) for label, name in _OWN_SECRETS.items()
    }
    previous, before = settings.secret_key_previous, {}
    if previous is not None:
        before = {
            label: derive(previous, name)
            for label, name in _OWN_SECRETS.items()
            if given[label] == derive(settings.secret_key, name)  # else it has a life of its own
        }
    return KeyRing(
        settings.secret_key.reveal().encode(),
        previous=() if previous is None else (previous.reveal().encode(),),
        given={label: secret.reveal().encode() for label, secret in given.items()},
        given_before={label: secret.reveal().encode() for label, secret in before.items()},
    )
