//! What live sources share: at most so many frames are under way, the newest goes when one is answered, the others are
//! counted, and each second it is said how that goes.

use std::time::{Duration, Instant};

use chrono::Utc;
use eyre::Result;
use seggpt_contract::{Ack, Health, Identity, Image, Message, Parameter, Picture, Position, State};
use seggpt_video::{Counts, Credits};

use crate::{Arrival, Io};

/// The `target` of the log record of a second. Its fields, all numbers but `state`: `came`, `answered` (frames of that
/// second), `skipped`, `lost` (so far), `age_ms`, `age_most_ms` (half and 99 of 100 of the last answers took no longer).
pub const TARGET: &str = "seggpt::live";

/// Where frames go.
pub const OUTPUT: &str = "image";
/// Where answers come from.
pub const ACK: &str = "ack";
const HEALTH: &str = "health";

/// How often it is said how things are.
const SECOND: Duration = Duration::from_secs(1);
/// Processes in one place, one after another, number their frames so far apart.
const APART: u64 = 1_000_000_000;
/// The metadata key of how many frames were skipped since the one before.
pub const SKIPPED: &str = "skipped";

/// A live source.
pub struct Live {
    credits: Credits,
    name: String,
    session: String,
    number: u64,
    apart: u64,
    /// After so long without a frame it is stale.
    stale_after: Duration,
    last_came: Option<Instant>,
    started: Instant,
    said: Option<(Instant, State, Counts)>,
    is_answered: bool,
}

impl Live {
    /// `name`: what frames are called, before their number. `window`: the most frames under way. `credit`: how long an
    /// answer may take; none: ten times the slowest.
    pub fn new(
        io: &Io,
        name: &str,
        window: usize,
        credit: Option<Duration>,
        stale_after: Duration,
    ) -> Self {
        let is_answered = io.is_wired(ACK);
        if !is_answered {
            tracing::warn!(
                "input `{ACK}` is not wired: every frame is sent, however far behind the others are"
            );
        }
        Self {
            credits: Credits::new(window, credit),
            name: name.to_owned(),
            session: format!("{name}-{}", io.since()),
            number: 0,
            apart: u64::from(io.restarts()) * APART,
            stale_after,
            last_came: None,
            started: Instant::now(),
            said: None,
            is_answered,
        }
    }

    /// Frames came; `skipped` of those that came will not be sent, since newer ones take their place.
    pub fn came(&mut self, count: u64, skipped: u64, now: Instant) {
        self.credits.came(count);
        self.credits.skip(skipped);
        if count > 0 {
            self.last_came = Some(now);
        }
    }

    /// A frame that came will not be sent: it is no picture.
    pub fn unreadable(&mut self) {
        self.credits.skip(1);
    }

    /// Whether a frame may be sent.
    pub fn may_send(&self) -> bool {
        !self.is_answered || self.credits.is_free()
    }

    /// Whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        self.credits.under_way() == 0
    }

    /// Sends a frame. `identity`: what is known of it; a foreign frame is numbered and named here.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn send(
        &mut self,
        io: &mut Io,
        mut identity: Identity,
        picture: Picture,
        is_foreign: bool,
    ) -> Result<()> {
        if is_foreign {
            identity.item = format!("{}/{:06}", self.session, self.number);
            identity.name.clone_from(&identity.item);
            identity.source.clone_from(&self.name);
            identity.index = self.apart + self.number;
            identity.position = Position::Frame {
                number: identity.index,
            };
        }
        identity.time.get_or_insert_with(Utc::now);
        self.number += 1;
        let item = identity.item.clone();
        let skipped = match self.is_answered {
            true => self.credits.sent(item, Instant::now()),
            false => self.credits.sent_for_good(),
        };
        let skipped = i64::try_from(skipped).unwrap_or(i64::MAX);
        identity
            .extra
            .insert(SKIPPED.into(), Parameter::Integer(skipped));
        io.send(OUTPUT, Message::Item(identity, Image(picture)))
    }

    /// Takes what came in on [`ACK`].
    pub fn answered(&mut self, arrival: &Arrival, now: Instant) {
        if let Some(greeting) = arrival.greeting() {
            let (node, what) = match (greeting.restarted, greeting.died) {
                (Some(node), _) => (node, "was started again"),
                (None, Some(node)) => (node, "died"),
                (None, None) => return,
            };
            let lost = self.credits.forget_all();
            tracing::warn!("node `{node}` {what}: {lost} frames that were under way are lost");
            return;
        }
        match arrival.read::<Ack>() {
            Ok(message) => {
                self.credits.answered(&message.identity().item, now);
            }
            Err(error) => tracing::warn!("an acknowledgement cannot be read: {error}"),
        }
    }

    /// Gives overdue credits back, and says each second how things are. `is_down`: no frame will come any more.
    ///
    /// # Errors
    /// The engine is gone.
    pub fn tick(&mut self, io: &mut Io, is_down: bool, now: Instant) -> Result<()> {
        for item in self.credits.expire(now) {
            tracing::warn!("{item}: no answer came in time; it is not waited for any more");
        }
        let quiet = self.last_came.unwrap_or(self.started);
        let state = match now.saturating_duration_since(quiet) {
            _ if is_down => State::Down,
            quiet if quiet >= self.stale_after => State::Stale,
            _ => State::Ok,
        };
        let counts = self.credits.counts();
        let due = self.said.is_none_or(|(then, said, _)| {
            said != state || now.saturating_duration_since(then) >= SECOND
        });
        if !due {
            return Ok(());
        }
        let before = self.said.replace((now, state, counts));
        let ages = self.credits.ages();
        let (age, most) = ages.unwrap_or_default();
        match before {
            Some((then, said, before)) => {
                let span = now.saturating_duration_since(then).as_secs_f64().max(0.001);
                let rate = |now: u64, then: u64| (now - then) as f64 / span;
                tracing::info!(
                    target: TARGET,
                    state = state.name(),
                    came = format!("{:.1}", rate(counts.came, before.came)),
                    answered = format!("{:.1}", rate(counts.answered, before.answered)),
                    skipped = counts.skipped,
                    lost = counts.lost,
                    age_ms = age.as_millis(),
                    age_most_ms = most.as_millis(),
                );
                if said != state && state == State::Stale {
                    tracing::warn!("no frame has come for {} s", self.stale_after.as_secs());
                }
            }
            None => tracing::debug!("a live source begins"),
        }
        if io.wants(HEALTH) {
            let quiet = self
                .last_came
                .map(|last| now.saturating_duration_since(last));
            let (parameters, payload) = Health {
                state,
                quiet_ms: quiet.map(milliseconds),
                age_ms: ages.map(|(age, _)| milliseconds(age)),
                came: counts.came,
                sent: counts.sent,
                answered: counts.answered,
                skipped: counts.skipped,
                lost: counts.lost,
            }
            .encode();
            io.send_raw(HEALTH, parameters, payload)?;
        }
        Ok(())
    }

    /// Says what became of all frames.
    pub fn close(&self) {
        let Counts {
            came,
            sent,
            skipped,
            answered,
            lost,
        } = self.credits.counts();
        tracing::info!(
            came,
            sent,
            skipped,
            answered,
            lost,
            "{came} frames came: {sent} sent, {skipped} skipped; of those sent {answered} answered, {lost} lost"
        );
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
