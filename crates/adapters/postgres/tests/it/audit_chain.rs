//! The contract on each database, and entries of every kind.

mod postgres {
    coinlink_testkit::audit_chain_contract!(crate::audit_support::on_postgres().await);
}

mod sqlite {
    coinlink_testkit::audit_chain_contract!(crate::audit_support::on_sqlite().await);
}

mod entries {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use std::borrow::Cow;

    use coinlink_domain::{
        operations::{Head, Kept, entry_hash},
        shared::audit::{AuditEntry, AuditStatus},
    };
    use coinlink_ports::operations::AuditChain as _;
    use coinlink_testkit::operations::{AuditedLog, FIRST, an_entry};
    use proptest::prelude::*;
    use sea_orm::ConnectionTrait as _;
    use time::{Duration, OffsetDateTime};
    use tokio::runtime::Runtime;
    use uuid::Uuid;

    use crate::audit_support::{Audited, on_postgres, on_sqlite};

    /// Any text but a NUL.
    fn any_text() -> impl Strategy<Value = String> {
        any::<String>().prop_map(|text| text.replace('\0', ""))
    }

    fn any_entry() -> impl Strategy<Value = AuditEntry> {
        let maybe = || prop::option::of(any_text());
        let ip = prop_oneof![
            Just(None),
            any::<[u8; 4]>().prop_map(|ip| Some(ip.into())),
            any::<[u8; 16]>().prop_map(|ip| Some(ip.into())),
        ];
        let micros = 0..253_402_300_799_000_000_i64;
        let who = (any::<u128>(), micros, prop::option::of(any::<u128>()), any_text(), any_text());
        let what = (maybe(), ip, maybe(), prop::collection::btree_map(any_text(), any_text(), 0..4), 0..3_usize);
        (who, what).prop_map(|((id, at, user, action, resource_type), (resource_id, ip, user_agent, details, status))| {
            AuditEntry {
                id: Uuid::from_u128(id),
                at: OffsetDateTime::UNIX_EPOCH + Duration::microseconds(at),
                user: user.map(Uuid::from_u128),
                action: action.into(),
                resource_type: resource_type.into(),
                resource_id,
                ip,
                user_agent,
                details: details.into_iter().map(|(name, value)| (Cow::Owned(name), value)).collect(),
                status: [AuditStatus::Success, AuditStatus::Failure, AuditStatus::Denied][status],
            }
        })
    }

    fn survives(runtime: &Runtime, audited: &Audited, entry: &AuditEntry) -> Result<(), TestCaseError> {
        let kept = runtime.block_on(async {
            audited.record(entry).await;
            let end = audited.chain.end().await.unwrap().seal.map_or(Head::EMPTY, |seal| seal.head());
            let found = audited.chain.unsealed(None, 1_000).await.unwrap().entries;
            let mut head = end;
            let seals: Vec<_> = found.iter().map(|entry| head.seal(entry, FIRST)).collect();
            audited.chain.append(end, &seals, None).await.unwrap();
            audited.chain.seals(Some(end.seq), 10).await.unwrap()
        });
        prop_assert_eq!(kept.len(), 1);
        prop_assert_eq!(&kept[0].1, &Kept::Entry(entry.clone()));
        prop_assert_eq!(kept[0].0.entry_hash, entry_hash(entry));
        Ok(())
    }

    #[test]
    fn any_entry_reads_back_equal_on_postgres() {
        let runtime = Runtime::new().unwrap();
        let audited = runtime.block_on(on_postgres());
        proptest!(|(entry in any_entry())| survives(&runtime, &audited, &entry)?);
    }

    #[test]
    fn any_entry_reads_back_equal_on_sqlite() {
        let runtime = Runtime::new().unwrap();
        let audited = runtime.block_on(on_sqlite());
        proptest!(|(entry in any_entry())| survives(&runtime, &audited, &entry)?);
    }

    /// An app that was taken over can add rows, whatever is in them.
    #[tokio::test]
    async fn rows_that_are_no_entries_are_told_and_do_not_hide_the_others() {
        for (audited, details) in [(on_postgres().await, "[1]"), (on_sqlite().await, r#"{"a":"1","a":"2"}"#)] {
            audited.record(&an_entry(2)).await;
            let id = "00000000-0000-0000-0000-000000000007";
            let id = if details == "[1]" { format!("'{id}'") } else { format!("x'{}'", id.replace('-', "")) };
            let row = format!("VALUES ({id}, '2026-11-21T12:00:01.000000Z', 'a', 'b', '{details}', 'success')");
            let columns = "INSERT INTO audit_log (id, timestamp, action, resource_type, details, status)";
            audited.operator.execute_unprepared(&format!("{columns} {row}")).await.unwrap();
            let page = audited.chain.unsealed(None, 10).await.unwrap();
            assert_eq!((page.entries, page.foreign), (vec![an_entry(2)], vec![Uuid::from_u128(7)]));
        }
    }

    #[tokio::test]
    async fn a_nul_that_no_text_can_hold_is_kept_as_its_picture() {
        for audited in [on_postgres().await, on_sqlite().await] {
            audited.record(&an_entry(1).on("a\0b").from(None, Some("\0")).detail("x\0", "\0y")).await;
            let pictured = an_entry(1).on("a␀b").from(None, Some("␀")).detail("x␀", "␀y");
            assert_eq!(audited.chain.unsealed(None, 10).await.unwrap().entries, [pictured]);
        }
    }
}
