//! The existing front end's socket class against a real node: nothing it gets is dropped or crashes it, and it stays connected.

use std::time::Duration;

use coinlink_end_to_end_tests::{Node, Pace, Tab, Tally, eventually};

const SOON: Duration = Duration::from_secs(30);

async fn node(interval_ms: &str) -> Node {
    let node = Node::dev_with(&["--feed", "simulated"], &[("TICKER_INTERVAL_MS", interval_ms)]).await;
    eventually("prices", SOON, async || node.get("/api/bitcoin/price").await.0 == 200).await;
    node
}

fn assert_unharmed(tally: &Tally) {
    assert!(tally.faults.is_empty(), "{:#?}", tally.faults);
    assert_eq!(tally.dead, 0, "no socket gave up");
    assert_eq!(tally.of("bitcoin_update") + tally.of("alert"), 0);
}

/// The class at ten times its pace, over a minute of its time and more, with a restart of the server in the middle.
#[tokio::test]
async fn the_front_end_stays_connected_and_comes_back_after_a_restart() {
    let mut node = node("1000").await;
    let tab = Tab::open(node.address, Pace::REAL.faster(10));
    eventually("four sockets with lists, prompts and pongs", SOON, async || {
        let tally = tab.tally();
        tally.of("pong") >= 16 && tally.of("crypto_ticker_update") >= 40 && tally.of("prompt_feed") >= 4
    })
    .await;
    let before = tab.tally();
    assert_unharmed(&before);
    assert_eq!((before.opened, before.of("connected")), (4, 4));
    assert!(before.closed.is_empty(), "{:?}", before.closed);

    node.restart().await;
    eventually("all four are back and pinging", SOON, async || {
        let tally = tab.tally();
        tally.opened == 8 && tally.of("connected") == 8 && tally.of("pong") >= before.of("pong") + 8
    })
    .await;
    let after = tab.tally();
    assert_unharmed(&after);
    assert_eq!(after.closed.get(&1001), Some(&4), "told to come back, each once: {:?}", after.closed);
    assert_eq!(after.closed.values().sum::<usize>(), 4, "and not cut off by anything else");
}

/// `just replay`: five tabs at their own pace.
#[tokio::test]
#[ignore = "takes ten minutes: just replay"]
async fn for_ten_minutes_no_socket_drops() {
    let node = node("5000").await;
    let tabs: Vec<_> = (0..5).map(|_| Tab::open(node.address, Pace::REAL)).collect();
    // Not at the very moment of a ping.
    tokio::time::sleep(Duration::from_secs(10 * 60 + 10)).await;
    for (number, tab) in tabs.iter().enumerate() {
        let tally = tab.tally();
        let lines = [format!("tab {number}: {} frames {:?}", tally.total(), tally.frames), format!("{tally:?}")];
        // Read by whoever runs it.
        std::io::Write::write_all(&mut std::io::stderr(), format!("{}\n", lines[0]).as_bytes()).unwrap();
        assert_unharmed(&tally);
        assert!(tally.closed.is_empty() && tally.opened == 4, "{}", lines[1]);
        // 120 ticks a socket, give or take the first and the last, and one more list at once.
        assert!((4 * 115..=4 * 125).contains(&tally.of("crypto_ticker_update")), "{}", lines[1]);
        assert_eq!(tally.of("pong"), tally.pings, "every ping is answered");
        assert!(tally.longest_gap < Duration::from_secs(11), "{}", lines[1]);
    }
}
