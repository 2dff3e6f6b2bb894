//! One socket: its state, shared by its own task and its thread's hub, and the task.

mod account;
mod channels;
mod chat;
mod refusals;
mod view;

use std::{
    cell::{Cell, RefCell},
    io,
    net::IpAddr,
    rc::Rc,
    sync::Arc,
};

use bytes::Bytes;
use coinlink_domain::{
    market::{Tick, TickId},
    shared::sliding_window::SlidingWindow,
};
use serde_json::json;
use tokio::{io::Interest, net::TcpStream, sync::Notify};
use uuid::Uuid;

use self::account::Account;
use super::{
    Close, Place,
    decoder::{Decoder, Received},
    farewell::{End, farewell},
    frame,
    hub::Context,
    inbound::{self, Message},
    outbox::Outbox,
    rooms::Rooms,
    subscription::{Encoded, Subscription},
    visitor::Visitor,
};
use crate::{
    broadcast::Published,
    wire::{self, Said},
};

/// Frames of any kind, pongs among them, that a client may send in a second.
const MOST_FRAMES_A_SECOND: u32 = 200;
/// Bytes read at once, into a buffer that all connections of a thread share.
const CHUNK: usize = 8 * 1024;
/// Answers that may wait when something is offered that is worth nothing late.
const OFFERED: usize = 4;

thread_local! {
    static BUFFER: RefCell<[u8; CHUNK]> = const { RefCell::new([0; CHUNK]) };
}

pub(super) struct Connection {
    stream: TcpStream,
    outbox: RefCell<Outbox>,
    decoder: RefCell<Decoder>,
    messages: RefCell<SlidingWindow>,
    /// Frames of any kind since the hub last looked.
    received: Cell<u32>,
    /// Messages refused since the last one that was not.
    refused: Cell<u32>,
    subscription: RefCell<Option<Subscription>>,
    /// The last showing written.
    last: Cell<(TickId, u64)>,
    /// The last tick written, kept only for clients that want deltas.
    last_tick: RefCell<Option<Arc<Tick>>>,
    /// Milliseconds of the hub's clock, as all below.
    shown_at: Cell<u64>,
    alive_at: Cell<u64>,
    pinged_at: Cell<u64>,
    /// Since when the socket has taken nothing though something waits, and how much it had taken by then.
    stalled: Cell<Option<(u64, u64)>>,
    end: Cell<Option<End>>,
    wake: Notify,
    id: Uuid,
    /// The page's origin.
    origin: Option<Box<str>>,
    /// The address that limits count.
    from: IpAddr,
    /// A ticket that came with the handshake and was not presented yet.
    ticket: RefCell<Option<String>>,
    /// Whose it is, where it is somebody's.
    account: RefCell<Option<Box<Account>>>,
    /// Tries to be somebody's since the last one that succeeded.
    failed: Cell<u8>,
    /// Something was asked that the next message has to wait for.
    asking: Cell<bool>,
    /// The assistant is thinking about something.
    chatting: Cell<bool>,
    /// Something was asked while it was nobody's.
    talked: Cell<bool>,
    /// Channels joined, one bit each.
    channels: Cell<u8>,
    rooms: Rc<Rooms>,
    place: Place,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, early: &[u8], visitor: Visitor, rooms: &Rc<Rooms>, context: &Context) -> Self {
        let now = context.millis();
        let mut decoder = Decoder::new(context.limits.max_message);
        decoder.feed(early);
        Self {
            stream,
            outbox: RefCell::default(),
            decoder: RefCell::new(decoder),
            messages: RefCell::default(),
            received: Cell::new(0),
            refused: Cell::new(0),
            subscription: RefCell::default(),
            last: Cell::new((TickId { epoch: 0, seq: 0 }, u64::MAX)),
            last_tick: RefCell::default(),
            shown_at: Cell::new(0),
            alive_at: Cell::new(now),
            pinged_at: Cell::new(now),
            stalled: Cell::new(None),
            end: Cell::new(None),
            wake: Notify::new(),
            id: Uuid::now_v7(),
            origin: visitor.origin,
            from: visitor.from,
            ticket: RefCell::new(visitor.ticket),
            account: RefCell::default(),
            failed: Cell::new(0),
            asking: Cell::new(false),
            chatting: Cell::new(false),
            talked: Cell::new(false),
            channels: Cell::new(0),
            rooms: Rc::clone(rooms),
            place: visitor.place,
        }
    }

    /// Shows the newest tick, unless it was shown, is not due yet, or the socket has no room: then the newest one at the
    /// time it has. `true` when it was begun.
    pub(super) fn show(&self, shown: &Published, encoded: &mut Encoded, now: u64) -> bool {
        let id = (shown.id(), shown.replay);
        if self.last.get() == id || self.end.get().is_some() {
            return false;
        }
        let subscription = self.subscription.borrow();
        if let Some(view) = &*subscription
            && now < self.shown_at.get() + u64::from(view.interval_ms)
        {
            return false;
        }
        let mut outbox = self.outbox.borrow_mut();
        if !outbox.has_room() {
            outbox.postpone_tick();
            return false;
        }
        let frame = match &*subscription {
            None => shown.frame.clone(),
            Some(view) => view.frame(shown, self.last_tick.borrow().as_ref(), encoded),
        };
        if subscription.as_ref().is_some_and(|view| view.delta) {
            self.last_tick.replace(shown.tick.clone());
        }
        self.last.set(id);
        self.shown_at.set(now);
        match outbox.begin(&self.stream, frame) {
            Err(_) => self.finish(End::Gone),
            Ok(()) if !outbox.is_empty() => self.wake.notify_one(),
            Ok(()) => {}
        }
        true
    }

    /// Shows the newest tick outside of the hub's round.
    fn show_current(&self, context: &Context) {
        if self.show(&context.broadcaster.current(), &mut Encoded::default(), context.millis()) {
            context.figures.ticks_sent.inc();
        }
    }

    /// What the hub looks after once a second: pings, silence, and writes that make no progress.
    pub(super) fn tend(&self, context: &Context) {
        let now = context.millis();
        let limits = &context.limits;
        self.received.set(0);
        let stuck = {
            let outbox = self.outbox.borrow();
            let stalled = match self.stalled.get() {
                _ if outbox.is_empty() => None,
                Some((since, written)) if written == outbox.written() => Some((since, written)),
                _ => Some((now, outbox.written())),
            };
            self.stalled.set(stalled);
            stalled.is_some_and(|(since, _)| now.saturating_sub(since) >= limits.write_stall_ms)
        };
        if stuck {
            self.close(Close::TooSlow, context);
        } else if now.saturating_sub(self.alive_at.get()) >= limits.dead_after_ms {
            self.close(Close::Unresponsive, context);
        } else if now.saturating_sub(self.pinged_at.get()) >= limits.ping_every_ms {
            self.pinged_at.set(now);
            self.send(frame::ping(), context);
        }
        self.tend_account(context);
    }

    /// Closes from our side.
    pub(super) fn close(&self, close: Close, context: &Context) {
        if self.end.get().is_none() && matches!(close, Close::TooSlow | Close::Unresponsive) {
            context.figures.slow_closed.inc();
        }
        self.finish(End::Closed(close));
    }

    fn finish(&self, end: End) {
        if self.end.get().is_none() {
            self.end.set(Some(end));
            self.wake.notify_one();
        }
    }

    fn send(&self, frame: Bytes, context: &Context) {
        let mut outbox = self.outbox.borrow_mut();
        context.figures.answers_sent.inc();
        if !outbox.answer(frame) {
            drop(outbox);
            self.close(Close::TooSlow, context);
        } else if outbox.flush(&self.stream).is_err() {
            self.finish(End::Gone);
        } else if !outbox.is_empty() {
            self.wake.notify_one();
        }
    }

    /// Sends a frame that is worth nothing late, unless answers wait already.
    fn offer(&self, frame: &Bytes, context: &Context) {
        if self.end.get().is_none() && self.outbox.borrow().waiting() < OFFERED {
            self.send(frame.clone(), context);
        }
    }

    fn say(&self, kind: Said, data: &serde_json::Value, context: &Context) {
        let message = json!({ "type": kind.name(), "data": data, "timestamp": wire::rfc3339(context.clock.now()) });
        self.send(frame::text(message.to_string().as_bytes()), context);
    }

    /// Serves the socket until it ends. The hub has it in its list meanwhile.
    pub(super) async fn run(self: Rc<Self>, context: Arc<Context>) {
        self.greet(&context);
        self.present_ticket(&context);
        self.understand(&context);
        let end = loop {
            if let Some(end) = self.end.get() {
                break end;
            }
            let idle = self.outbox.borrow().is_empty();
            if idle && self.asking.get() {
                // The next message waits, and so does reading it.
                self.wake.notified().await;
                continue;
            }
            let interest = if idle { Interest::READABLE } else { Interest::READABLE | Interest::WRITABLE };
            let ready = tokio::select! {
                biased;
                () = self.wake.notified() => continue,
                ready = self.stream.ready(interest) => ready,
            };
            let Ok(ready) = ready else { break End::Gone };
            if ready.is_writable() {
                self.catch_up(&context);
            }
            if (ready.is_readable() || ready.is_read_closed()) && !self.asking.get() {
                self.read(&context);
            }
            // A socket that is always ready must not keep its thread.
            tokio::task::coop::consume_budget().await;
        };
        // Whoever comes back from asking something sees that it is over.
        self.finish(end);
        self.leave_all(&context);
        let outbox = self.outbox.take();
        farewell(&self.stream, outbox, end).await;
    }

    fn greet(&self, context: &Context) {
        let limits = &context.limits;
        let data = json!({
            "connection_id": self.id,
            "authenticated": false,
            "user_id": null,
            "server_time": wire::rfc3339(context.clock.now()),
            "capabilities": ["subscribe", "delta", "resume", "authenticate", "channels", "chat", "prompts"],
            "tick_interval_ms": limits.tick_every_ms,
            "ping_interval_ms": limits.ping_every_ms,
            "limits": {
                "messages_per_minute": limits.messages.limit,
                "message_bytes": limits.max_message,
                "symbols": inbound::MAX_SYMBOLS,
            },
        });
        self.say(Said::Connected, &data, context);
        self.show_current(context);
        if let Some(prompts) = context.feeds.current_prompts() {
            self.send(prompts, context);
        }
    }

    /// Goes on writing; when all is written, the tick that had no room.
    fn catch_up(&self, context: &Context) {
        let flushed = self.outbox.borrow_mut().flush(&self.stream);
        match flushed {
            Err(_) => self.finish(End::Gone),
            Ok(true) if self.outbox.borrow_mut().take_due_tick() => {
                self.show_current(context);
            }
            Ok(_) => {}
        }
    }

    fn read(self: &Rc<Self>, context: &Arc<Context>) {
        let read = BUFFER.with_borrow_mut(|buffer| {
            let count = self.stream.try_read(buffer)?;
            self.decoder.borrow_mut().feed(&buffer[..count]);
            Ok::<_, io::Error>(count)
        });
        match read {
            Ok(0) => self.finish(End::Gone),
            Ok(_) => self.understand(context),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => self.finish(End::Gone),
        }
    }

    fn understand(self: &Rc<Self>, context: &Arc<Context>) {
        while self.end.get().is_none() && !self.asking.get() {
            let received = self.decoder.borrow_mut().next();
            match received {
                Ok(None) => return,
                Ok(Some(received)) => self.receive(received, context),
                Err(close) => self.close(close, context),
            }
        }
    }

    fn receive(self: &Rc<Self>, received: Received, context: &Arc<Context>) {
        self.alive_at.set(context.millis());
        self.received.set(self.received.get() + 1);
        if self.received.get() > MOST_FRAMES_A_SECOND {
            return self.close(Close::TooManyMessages, context);
        }
        match received {
            Received::Pong => {}
            Received::Close(code) => self.finish(End::Goodbye(code)),
            Received::Ping(_) | Received::Text(_) if !self.may_speak(context) => {}
            Received::Ping(payload) => self.send(frame::pong(&payload), context),
            Received::Text(text) if std::str::from_utf8(&text).is_err() => self.close(Close::NotUtf8, context),
            Received::Text(text) => match inbound::parse(&text) {
                Ok(message) => self.answer(message, context),
                Err(misunderstood) => self.object(&misunderstood, context),
            },
        }
    }

    fn answer(self: &Rc<Self>, message: Message, context: &Arc<Context>) {
        match message {
            Message::Ping => self.say(Said::Pong, &json!({ "server_time": wire::rfc3339(context.clock.now()) }), context),
            Message::Pong => {}
            Message::Subscribe { symbols, delta, interval_ms } => self.subscribe(symbols, delta, interval_ms, context),
            Message::Unsubscribe => self.unsubscribe(context),
            Message::Resume(last) => self.resume(last, context),
            Message::Authenticate(shown) => self.authenticate(shown, context),
            Message::Join(channel) => self.join(channel, context),
            Message::Leave(channel) => self.leave(channel, context),
            Message::SubscribeBitcoin => self.subscribe_bitcoin(context),
            Message::UnsubscribeBitcoin => self.unsubscribe_bitcoin(context),
            Message::Chat { message, channel } => self.chat(message, channel, context),
        }
    }
}
