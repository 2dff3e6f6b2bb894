//! The fake holds the contract.

coinlink_testkit::mail_queue_contract!(coinlink_testkit::notifications::MemoryMailQueue::default());
