use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// When the database was told that a session is over, by its own clock: those of nodes differ. A trigger writes it, so that it is
/// there whichever release ended the session. What ended within the last day is told anew.
#[derive(DeriveMigrationName)]
pub(crate) struct Migration;

const POSTGRES: &str = "
ALTER TABLE sessions ADD COLUMN end_told_at timestamptz_text;
UPDATE sessions SET end_told_at = clock_timestamp() WHERE ended_at > clock_timestamp() - interval '1 day';
CREATE FUNCTION sessions_end_told() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.end_told_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER sessions_end_told BEFORE INSERT OR UPDATE ON sessions FOR EACH ROW
WHEN (NEW.ended_at IS NOT NULL AND NEW.end_told_at IS NULL) EXECUTE FUNCTION sessions_end_told();
CREATE INDEX sessions_end_told_at ON sessions (end_told_at);
";

const SQLITE: &str = "
ALTER TABLE sessions ADD COLUMN end_told_at timestamptz_text;
UPDATE sessions SET end_told_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')
WHERE ended_at > strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', '-1 day');
CREATE TRIGGER sessions_added_end_told AFTER INSERT ON sessions WHEN NEW.ended_at IS NOT NULL AND NEW.end_told_at IS NULL
BEGIN UPDATE sessions SET end_told_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE id = NEW.id; END;
CREATE TRIGGER sessions_end_told AFTER UPDATE ON sessions WHEN NEW.ended_at IS NOT NULL AND NEW.end_told_at IS NULL
BEGIN UPDATE sessions SET end_told_at = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') WHERE id = NEW.id; END;
CREATE INDEX sessions_end_told_at ON sessions (end_told_at);
";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sql = if manager.get_database_backend() == DbBackend::Postgres { POSTGRES } else { SQLITE };
        manager.get_connection().execute_unprepared(sql).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let triggers = if manager.get_database_backend() == DbBackend::Postgres {
            "DROP TRIGGER sessions_end_told ON sessions; DROP FUNCTION sessions_end_told()"
        } else {
            "DROP TRIGGER sessions_added_end_told; DROP TRIGGER sessions_end_told"
        };
        let sql = format!("{triggers}; DROP INDEX sessions_end_told_at; ALTER TABLE sessions DROP COLUMN end_told_at");
        manager.get_connection().execute_unprepared(&sql).await.map(drop)
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
