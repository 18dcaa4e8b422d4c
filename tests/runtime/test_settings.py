"""Settings: defaults, every way to be wrong, files, derived secrets, and the kept key."""

import ipaddress
import multiprocessing
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

from bursar.runtime.secret import Secret
from bursar.runtime.settings import FIELDS, Settings, load
from bursar.runtime.settings_sources import SettingsInvalid

KEY = "0123456789abcdef0123456789abcdef0123456789abcdef"
DATABASE = "postgresql://bursar_app:hunter2@db.internal/bursar"
PRODUCTION = {"APP_ENV": "production", "SECRET_KEY": KEY, "DATABASE_URL": DATABASE}


def load_in(data_dir: Path, environ: Mapping[str, str]) -> Settings:
    return load({"DATA_DIR": str(data_dir), **environ})


def test_nothing_set_gives_the_documented_defaults(tmp_path: Path) -> None:
    # An empty environment is a working development installation.
    settings = load_in(tmp_path, {})
    assert (settings.app_env, settings.port, settings.log_level) == ("development", 3000, "info")
    assert settings.public_url == "http://localhost:3000"
    assert settings.database_url is None
    assert settings.redis_url is None
    assert settings.jwt_lifetime_seconds == 900
    assert settings.rate_limit_requests_max == 100
    assert settings.rate_limit_window_ms == 60_000
    assert settings.webhook_delivery_timeout_ms == 10_000
    assert settings.dunning_schedule_minutes == (60, 300, 1800, 7200, 43_200)
    assert settings.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert settings.sandbox_url == "http://127.0.0.1:3001"


BAD = [
    ("APP_ENV", {"APP_ENV": "prod"}),
    ("APP_ENV", {"NODE_ENV": "staging"}),
    ("PORT", {"PORT": "70000"}),
    ("PORT", {"PORT": "http"}),
    ("PORT", {"PORT": "٣٠٠٠"}),
    ("PORT", {"PORT": "0"}),
    ("DATABASE_URL", {"DATABASE_URL": "mysql://root:hunter2@db/bursar"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://bursar_app:hunter2@db"}),
    ("DATABASE_URL", {"DATABASE_URL": "postgresql://u:hunter2@db:port/bursar"}),
    ("MIGRATION_DATABASE_URL", {"MIGRATION_DATABASE_URL": DATABASE}),
    ("DATABASE_POOLER", {"DATABASE_URL": DATABASE, "DATABASE_POOLER": "session"}),
    ("DATABASE_DIRECT_URL", {"DATABASE_URL": DATABASE, "DATABASE_POOLER": "transaction"}),
    ("REDIS_URL", {"REDIS_URL": "http://:hunter2@cache"}),
    ("JWT_EXPIRES_IN", {"JWT_EXPIRES_IN": "soon"}),
    ("JWT_EXPIRES_IN", {"JWT_EXPIRES_IN": "5s"}),
    ("JWT_EXPIRES_IN", {"JWT_EXPIRES_IN": "30d"}),
    ("STRIPE_SECRET_KEY", {"STRIPE_SECRET_KEY": "pk_live_hunter2"}),
    ("SMTP_URL", {"SMTP_URL": "mail.example.com:25"}),
    ("SECRET_KEY", {"SECRET_KEY": "hunter2"}),
    ("SECRET_KEY", {"APP_ENV": "production"}),
    ("SECRET_KEY", {"APP_ENV": "production", "SECRET_KEY": "hunter2" * 2 + "2" * 2}),
    ("SECRET_KEY", {"APP_ENV": "production", "SECRET_KEY": "x" * 64}),
    ("JWT_SECRET", {**PRODUCTION, "JWT_SECRET": "hunter2"}),
    ("API_KEY_HASH_SALT", {**PRODUCTION, "API_KEY_HASH_SALT": "local_dev_salt"}),
    ("STRIPE_WEBHOOK_SECRET", {**PRODUCTION, "STRIPE_SECRET_KEY": "sk_live_hunter2"}),
    ("LOG_LEVEL", {"LOG_LEVEL": "verbose"}),
    ("DUNNING_MAX_RETRIES", {"DUNNING_MAX_RETRIES": "7"}),
    ("DUNNING_SCHEDULE_MINUTES", {"DUNNING_SCHEDULE_MINUTES": "60,30"}),
    ("DUNNING_SCHEDULE_MINUTES", {"DUNNING_SCHEDULE_MINUTES": "60,,90"}),
    ("WEBHOOK_DELIVERY_TIMEOUT_MS", {"WEBHOOK_DELIVERY_TIMEOUT_MS": "10s"}),
    ("RATE_LIMIT_WINDOW_MS", {"RATE_LIMIT_WINDOW_MS": "-1"}),
    ("RATE_LIMIT_MAX_REQUESTS", {"RATE_LIMIT_MAX_REQUESTS": "1e3"}),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "billing.example.com"}),
    ("PUBLIC_URL", {"PUBLIC_URL": "https://me:hunter2@billing.example.com"}),
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "proxy1"}),
    ("TRUSTED_PROXIES", {"TRUSTED_PROXIES": "0.0.0.0/0"}),
    ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "https://billing.example.com"}),
    ("SANDBOX_PORT", {"PORT": "3001"}),
    ("DATA_DIR", {"DATA_DIR": __file__}),
    ("DATA_DIR", {"DATA_DIR": "/dev/null/bursar"}),
    ("JWT_SECRET", {"JWT_SECRET": "hunter2\nX: y"}),
    ("JWT_SECRET_FILE", {"JWT_SECRET_FILE": "/nowhere/at/all"}),
]


@pytest.mark.parametrize(("name", "environ"), BAD, ids=[f"{n}-{i}" for i, (n, _) in enumerate(BAD)])
def test_a_bad_setting_gives_one_line_that_names_it(
    tmp_path: Path, name: str, environ: dict[str, str]
) -> None:
    # Whoever starts Bursar learns which variable to mend, from one line, and no secret is shown.
    with pytest.raises(SettingsInvalid) as caught:
        load_in(tmp_path, environ)
    line = str(caught.value)
    assert line.startswith(f"{name}: ")
    assert line.endswith(".")
    assert "\n" not in line
    assert "hunter2" not in line
    assert not (tmp_path / "secret_key").exists(), "a refused start leaves nothing behind"


@pytest.mark.parametrize(
    ("written", "seconds"), [("15m", 900), ("1h", 3600), ("900", 900), ("90s", 90), ("1d", 86_400)]
)
def test_a_lifetime_is_read_with_or_without_a_unit(
    tmp_path: Path, written: str, seconds: int
) -> None:
    # A bare number is seconds.
    assert load_in(tmp_path, {"JWT_EXPIRES_IN": written}).jwt_lifetime_seconds == seconds


def test_the_old_names_and_sample_values_work_in_development(tmp_path: Path) -> None:
    # An environment written for the older systems starts as it is.
    settings = load_in(
        tmp_path,
        {
            "NODE_ENV": "test",
            "LOG_LEVEL": "warn",
            "WEBHOOK_SIGNING_SECRET": "whsign_local_dev_secret",
            "API_KEY_HASH_SALT": "local_dev_salt",
            "STRIPE_SECRET_KEY": "sk_test_xxx",
        },
    )
    assert (settings.app_env, settings.log_level) == ("test", "warning")
    assert settings.api_key_hash_salt == Secret("local_dev_salt")


def test_app_env_wins_over_its_alias(tmp_path: Path) -> None:
    # The first-class name is the stronger one.
    environ = {"APP_ENV": "test", "NODE_ENV": "production"}
    assert load_in(tmp_path, environ).app_env == "test"


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    # Container files often pass `PORT=` for "not set".
    settings = load_in(tmp_path, {"PORT": "", "DATABASE_URL": " ", "APP_ENV": ""})
    assert (settings.port, settings.database_url) == (3000, None)


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    # `<NAME>_FILE` is how containers pass secrets; the last line break is not part of it.
    file = tmp_path / "jwt"
    file.write_text(KEY + "\n")
    assert load_in(tmp_path, {"JWT_SECRET_FILE": str(file)}).jwt_secret == Secret(KEY)


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    # Two sources of one secret would leave open which of them holds.
    file = tmp_path / "jwt"
    file.write_text(KEY)
    with pytest.raises(SettingsInvalid, match="JWT_SECRET: is given twice"):
        load_in(tmp_path, {"JWT_SECRET": KEY, "JWT_SECRET_FILE": str(file)})


def test_an_empty_secret_file_is_refused(tmp_path: Path) -> None:
    # An empty file is a mount that failed, not a wish for the default.
    file = tmp_path / "jwt"
    file.write_text("\n")
    with pytest.raises(SettingsInvalid, match=r"JWT_SECRET_FILE: .* is empty"):
        load_in(tmp_path, {"JWT_SECRET_FILE": str(file)})


def test_a_file_is_read_for_secrets_only(tmp_path: Path) -> None:
    # PORT_FILE is not a name of ours; it must not be taken for one.
    assert load_in(tmp_path, {"PORT_FILE": "/nowhere"}).port == 3000


def test_other_secrets_grow_from_the_key_unless_given(tmp_path: Path) -> None:
    # One key is enough; each use has a secret of its own; the same key gives the same secrets.
    first = load_in(tmp_path, PRODUCTION)
    again = load_in(tmp_path, PRODUCTION)
    other = load_in(tmp_path, {**PRODUCTION, "SECRET_KEY": KEY[::-1]})
    own = {first.jwt_secret, first.jwt_refresh_secret, first.api_key_hash_salt}
    assert len({*own, first.webhook_signing_secret, first.derived("hosted")}) == 5
    assert first.jwt_secret == again.jwt_secret != other.jwt_secret
    assert load_in(tmp_path, {**PRODUCTION, "JWT_SECRET": KEY}).jwt_secret == Secret(KEY)
    assert not (tmp_path / "secret_key").exists()


def test_the_derivation_is_hkdf_sha256() -> None:
    # A key once derived must be derived again by every later release: the bytes are pinned.
    from_library = Secret("yanot_7Lg04f-i9AfQ9HdQgnHeaXRadTw-26zOWqKDo")
    assert load({**PRODUCTION}).derived("label") == from_library


def test_the_kept_key_is_private_and_stays(tmp_path: Path) -> None:
    # In development the key is made once, readable by its owner only, and used again.
    home = tmp_path / "deep" / "er"
    first = load_in(home, {})
    assert stat.S_IMODE((home / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert load_in(home, {}).secret_key == first.secret_key
    assert [path.name for path in home.iterdir()] == ["secret_key"]


def test_a_damaged_kept_key_is_refused(tmp_path: Path) -> None:
    # A new key in its place would make everything encrypted before unreadable.
    (tmp_path / "secret_key").write_text("short")
    with pytest.raises(SettingsInvalid, match=r"SECRET_KEY: .* is damaged"):
        load_in(tmp_path, {})


def _key_of(data_dir: str) -> str:
    return load({"DATA_DIR": data_dir}).secret_key.reveal()


def test_starts_at_one_moment_agree_on_the_kept_key(tmp_path: Path) -> None:
    # API and worker start together in a fresh folder; both must get the one key.
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        keys = pool.map(_key_of, [str(tmp_path / "new")] * 16, chunksize=1)
    assert len(set(keys)) == 1


def test_secrets_do_not_print(tmp_path: Path) -> None:
    # Settings end up in tracebacks and debug output; their secrets must not.
    environ = {**PRODUCTION, "SMTP_URL": "smtp://me:hunter2@mail", "EMAIL_API_KEY": "re_hunter2"}
    settings = load_in(tmp_path, environ)
    shown = f"{settings!r} {settings} {settings.secret_key} {settings.database_url!s:>40}"
    assert "***" in shown
    assert "hunter2" not in shown
    assert KEY not in shown


def test_proxies_and_hosts_are_lists(tmp_path: Path) -> None:
    # What a request may claim about its origin is bounded by these two.
    settings = load_in(
        tmp_path,
        {
            "TRUSTED_PROXIES": "10.0.0.0/8, ::1",
            "PUBLIC_URL": "https://Billing.Example.com/",
        },
    )
    assert settings.trusted_proxies == (
        ipaddress.ip_network("10.0.0.0/8"),
        ipaddress.ip_network("::1/128"),
    )
    assert settings.public_url == "https://Billing.Example.com"
    assert settings.allowed_hosts[0] == "billing.example.com"
    given = load_in(tmp_path, {"ALLOWED_HOSTS": "a.example, *.b.example"})
    assert given.allowed_hosts == ("a.example", "*.b.example")


def test_proxies_and_origins(tmp_path: Path) -> None:
    # Proxies are named by network or by number, origins in full; anything looser is refused.
    assert load_in(tmp_path, {"TRUSTED_PROXIES": "2"}).trusted_proxies == 2
    assert load_in(tmp_path, {}).cors_origins == ()
    listed = load_in(tmp_path, {"CORS_ORIGINS": "https://a.example, http://localhost:8080"})
    assert listed.cors_origins == ("https://a.example", "http://localhost:8080")
    for name, text in (
        ("TRUSTED_PROXIES", "11"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://*.example.com"),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("CORS_ORIGINS", "https://user@a.example"),
        ("CORS_ORIGINS", "a.example"),
    ):
        with pytest.raises(SettingsInvalid):
            load_in(tmp_path, {name: text})


def test_every_field_is_documented() -> None:
    # The reference page is made from this table.
    assert list(FIELDS) == list(Settings.__struct_fields__)
    assert len({variable.name for variable in FIELDS.values()}) == len(FIELDS)
    for variable in FIELDS.values():
        assert variable.meaning.endswith("."), variable.name
        assert (variable.default is None) == bool(variable.otherwise), variable.name
