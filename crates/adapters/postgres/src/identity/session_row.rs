//! A session as a row, and back.

use coinlink_domain::identity::{ClientInfo, EndReason, Ending, FamilyKey, RetryKey, Session, SessionId, UserId};
use coinlink_ports::shared::StoreError;
use sea_orm::ActiveValue::{NotSet, Set};

use crate::{
    entities::sessions::{ActiveModel, Model},
    errors::corrupt,
    exact::Moment,
};

/// All of a session.
pub(super) fn row(session: &Session) -> ActiveModel {
    ActiveModel {
        id: Set(session.id.0),
        user_id: Set(session.user.0),
        family_key: Set(session.family_key.0.to_vec()),
        created_at: Set(Moment(session.created_at)),
        ..changes(session)
    }
}

/// What of a session may change.
pub(super) fn changes(session: &Session) -> ActiveModel {
    ActiveModel {
        id: NotSet,
        user_id: NotSet,
        family_key: NotSet,
        generation: Set(session.generation.into()),
        confirmed: Set(session.confirmed),
        replays: Set(session.replays.into()),
        retry_key: Set(session.retry_key.map(|key| key.0.to_vec())),
        created_at: NotSet,
        rotated_at: Set(Moment(session.rotated_at)),
        ip: Set(session.client.ip.map(|ip| ip.to_string())),
        user_agent: Set(session.client.user_agent.clone()),
        second_factor_at: Set(session.second_factor_at.map(Moment)),
        ended_at: Set(session.ended.map(|ending| Moment(ending.at))),
        end_reason: Set(session.ended.map(|ending| ending.reason.name().to_owned())),
    }
}

pub(super) fn session(row: Model) -> Result<Session, StoreError> {
    let ip = row.ip.map(|ip| ip.parse().map_err(|e| corrupt("sessions.ip", e))).transpose()?;
    Ok(Session {
        id: SessionId(row.id),
        user: UserId(row.user_id),
        family_key: FamilyKey(key("sessions.family_key", &row.family_key)?),
        generation: row.generation.try_into().map_err(|e| corrupt("sessions.generation", e))?,
        confirmed: row.confirmed,
        replays: row.replays.try_into().map_err(|e| corrupt("sessions.replays", e))?,
        retry_key: row.retry_key.map(|bytes| key("sessions.retry_key", &bytes).map(RetryKey)).transpose()?,
        created_at: row.created_at.0,
        rotated_at: row.rotated_at.0,
        client: ClientInfo { ip, user_agent: row.user_agent },
        second_factor_at: row.second_factor_at.map(|Moment(at)| at),
        ended: ending(row.ended_at, row.end_reason.as_deref())?,
    })
}

fn key(what: &'static str, bytes: &[u8]) -> Result<[u8; 32], StoreError> {
    bytes.try_into().map_err(|e| corrupt(what, e))
}

fn ending(at: Option<Moment>, reason: Option<&str>) -> Result<Option<Ending>, StoreError> {
    match (at, reason.map(EndReason::from_name)) {
        (None, None) => Ok(None),
        (Some(Moment(at)), Some(Some(reason))) => Ok(Some(Ending { at, reason })),
        _ => Err(StoreError::Corrupt { what: "sessions.end_reason", source: None }),
    }
}
