coinlink_testkit::audit_chain_contract!(coinlink_testkit::operations::MemoryAuditChain::default());
