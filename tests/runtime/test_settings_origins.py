"""Where a setting is from, and what was nearly one."""

import pytest

from bursar.runtime.settings_origins import sources_of_settings, unknown_variables


def test_a_slip_of_the_pen_is_named() -> None:
    # A variable nobody reads, but for a letter; strangers' variables are none of our business.
    environment = {"PUBLIC_ULR": "x", "DATABASE_URL": "x", "SECRET_KEY_FILE": "x", "EDITOR": "x"}
    assert unknown_variables(environment) == {"PUBLIC_ULR": "PUBLIC_URL"}


def test_what_others_call_it_is_named() -> None:
    # Whoever sets Redis in parts, or another store, hears that it is not read, and what is.
    environment = {"REDIS_HOST": "localhost", "REDIS_PORT": "6379", "MONGODB_URI": "x"}
    assert unknown_variables(environment) == {
        "MONGODB_URI": "DATABASE_URL",
        "REDIS_HOST": "REDIS_URL",
        "REDIS_PORT": "REDIS_URL",
    }


def test_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    # The variable that gave it, its other name, its file, or the default.
    monkeypatch.setenv("NODE_ENV", "test")
    monkeypatch.delenv("APP_ENV", raising=False)
    monkeypatch.setenv("STRIPE_SECRET_KEY_FILE", "/run/secret")
    monkeypatch.delenv("LOG_LEVEL", raising=False)
    found = sources_of_settings()
    assert found["app_env"] == "NODE_ENV"
    assert found["stripe_secret_key"] == "STRIPE_SECRET_KEY_FILE"
    assert found["log_level"] == "default"
