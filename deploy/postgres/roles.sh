#!/bin/sh
# The roles and the database of Bursar on a PostgreSQL of your own: what each may do by itself. What
# they may do in the database, the migrations say. Run once as a superuser; running it again changes
# nothing but the passwords. Needs POSTGRES_PASSWORD for the owner's and the application's login.
set -eu
password=${POSTGRES_PASSWORD:?the password of bursar_owner and bursar_app}

psql -v ON_ERROR_STOP=1 -v password="$password" --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I', name)
FROM unnest(ARRAY['bursar_owner', 'bursar_app', 'bursar_lane', 'bursar_directory', 'bursar_backup']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE bursar_owner LOGIN NOSUPERUSER BYPASSRLS CREATEROLE NOCREATEDB NOREPLICATION PASSWORD :'password';
ALTER ROLE bursar_app LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION PASSWORD :'password';
ALTER ROLE bursar_lane NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
ALTER ROLE bursar_directory NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
ALTER ROLE bursar_backup LOGIN NOSUPERUSER BYPASSRLS NOCREATEROLE NOCREATEDB NOREPLICATION;
GRANT bursar_app, bursar_lane, bursar_directory, bursar_backup TO bursar_owner WITH ADMIN OPTION;
ALTER ROLE bursar_backup SET default_transaction_read_only = on;
GRANT pg_read_all_data TO bursar_backup;

SELECT 'CREATE DATABASE bursar OWNER bursar_owner'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'bursar')
\gexec
ALTER DATABASE bursar OWNER TO bursar_owner;

REVOKE CONNECT ON DATABASE postgres, template1 FROM PUBLIC;
REVOKE ALL ON DATABASE bursar FROM PUBLIC;
GRANT CONNECT ON DATABASE bursar TO bursar_app, bursar_backup;
SQL
