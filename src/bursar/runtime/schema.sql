-- name: has_revision
-- Whether any release of Bursar has ever set this database up.
SELECT to_regclass('public.alembic_version') IS NOT NULL;

-- name: revision
-- The revision the database is at.
SELECT version_num FROM public.alembic_version;

-- name: bind_context
-- Binds a signed context for the rest of the transaction.
SELECT set_config('bursar.context', $1, true);

-- name: bound_org
-- The organization of the context; an error when its signature is not by the database's own key.
SELECT sec.org();

-- name: login_rights
-- What the login we came in with could do that row-level security would not stop.
SELECT
    current_user::text AS login, r.rolsuper AS is_superuser, r.rolbypassrls AS passes_rls,
    EXISTS (
        SELECT 1 FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('public', 'sec', 'queue') AND c.relkind IN ('r', 'p')
            AND pg_has_role(current_user, c.relowner, 'MEMBER')
    ) AS owns_tables
FROM pg_roles AS r WHERE r.rolname = current_user;

-- name: server_version
-- The number of PostgreSQL's release.
SELECT split_part(current_setting('server_version'), ' ', 1);
