#!/bin/sh
# Makes the roles in a new database, which the image of PostgreSQL runs this in once, and gives it to its owner.
set -eu

secrets=${SECRETS_DIR:-/run/secrets}
export OWNER_PASSWORD_FILE="$secrets/database_owner_password"
export APP_PASSWORD_FILE="$secrets/database_app_password"
export BACKUP_PASSWORD_FILE="$secrets/database_backup_password"
database=${POSTGRES_DB:-coinlink}
psql --no-psqlrc --quiet --dbname "$database" --file "${ROLES_SQL:-/opt/coinlink/deploy/postgres/roles.sql}"
psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set database="$database" --dbname "$database" <<'SQL'
ALTER DATABASE :"database" OWNER TO coinlink_owner;
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO coinlink_app, coinlink_backup;
ALTER SCHEMA public OWNER TO coinlink_owner;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
SQL
