-- The roles of CoinLink on a PostgreSQL server, made by a superuser. May be run again: who is there stays, and gets the password.
--
--   export OWNER_PASSWORD_FILE=… APP_PASSWORD_FILE=… BACKUP_PASSWORD_FILE=…
--   psql --dbname postgres --file deploy/postgres/roles.sql
--   createdb --owner coinlink_owner coinlink
--
--   coinlink_owner    owns the database: `coinlink migrate up`, and restores
--   coinlink_app      what servers run as. Each `coinlink migrate up` gives it its rights: docs/audit-log.md
--   coinlink_backup   reads everything and copies the server: deploy/backup

\set ON_ERROR_STOP on
-- No password in the server's log, whatever it is told to log.
SET log_statement = 'none';
SET log_min_duration_statement = -1;
SET log_min_error_statement = 'panic';
SET client_min_messages = 'warning';
SET password_encryption = 'scram-sha-256';

\set owner_password `cat "$OWNER_PASSWORD_FILE"`
\set app_password `cat "$APP_PASSWORD_FILE"`
\set backup_password `cat "$BACKUP_PASSWORD_FILE"`
SELECT :'owner_password' = '' OR :'app_password' = '' OR :'backup_password' = '' AS missing \gset
\if :missing
    \echo 'OWNER_PASSWORD_FILE, APP_PASSWORD_FILE and BACKUP_PASSWORD_FILE have to name files that hold a password each.'
    SELECT 1 / 0 AS "a password is missing";
\endif

SELECT format('CREATE ROLE %I LOGIN', name)
FROM unnest(ARRAY['coinlink_owner', 'coinlink_app', 'coinlink_backup']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)
\gexec

ALTER ROLE coinlink_owner NOSUPERUSER CREATEDB PASSWORD :'owner_password';
ALTER ROLE coinlink_app NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION PASSWORD :'app_password';
ALTER ROLE coinlink_backup NOSUPERUSER NOCREATEDB NOCREATEROLE REPLICATION PASSWORD :'backup_password';
GRANT pg_read_all_data TO coinlink_backup;
