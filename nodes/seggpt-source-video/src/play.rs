//! A clip as a camera: it is played at its own speed, and the newest frame goes when one is answered.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use dora_node_api::{DoraNode, EventStream};
use eyre::{Result, WrapErr};
use seggpt_contract::Identity;
use seggpt_node::{
    Io,
    live::{ACK, Live},
    source::Loaded,
};

use crate::{Settings, frame::Frames};

/// How often to look whether a frame is there.
const GLANCE: Duration = Duration::from_millis(5);

/// Without a frame for so long, a clip that is played is stale.
const STALE: Duration = Duration::from_secs(5);

/// What the thread that plays has for the one that sends.
#[derive(Default)]
struct Slot {
    newest: Option<Loaded>,
    /// Frames since it was looked at last, and how many of them newer ones took the place of.
    came: u64,
    skipped: u64,
    is_over: bool,
}

pub(crate) fn run(
    node: DoraNode,
    events: EventStream,
    settings: &Settings,
    frames: Frames,
    numbers: Vec<u64>,
) -> Result<()> {
    let mut io = Io::new(node, events);
    let credit = u64::from(settings.credit_s);
    let credit = (credit > 0).then(|| Duration::from_secs(credit));
    let window = settings.window.into();
    let mut live = Live::new(&io, frames.clip().name(), window, credit, STALE);
    let slot = Arc::new(Mutex::new(Slot::default()));
    play(frames, numbers, settings, Arc::clone(&slot))?;
    let mut complaint = String::new();
    loop {
        let now = Instant::now();
        let (newest, is_waiting, is_over) = {
            let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
            let (came, skipped) = (mem::take(&mut slot.came), mem::take(&mut slot.skipped));
            live.came(came, skipped, now);
            let newest = slot.newest.take_if(|_| live.may_send());
            (newest, slot.newest.is_some(), slot.is_over)
        };
        if let Some(newest) = newest {
            match newest {
                Ok((picture, notes)) => {
                    let size = (picture.width(), picture.height());
                    let mut identity = Identity::new("", 0, size);
                    identity.notes = notes.iter().map(ToString::to_string).collect();
                    live.send(&mut io, identity, picture, true)?;
                }
                Err(error) => {
                    live.unreadable();
                    if error != complaint {
                        tracing::warn!("a frame is skipped: {error}");
                    }
                    complaint = error;
                }
            }
        }
        let is_down = is_over && !is_waiting;
        live.tick(&mut io, is_down, now)?;
        if is_down && live.is_idle() {
            break;
        }
        match io.receive_within(GLANCE) {
            Some(Some(arrival)) if arrival.input == ACK => live.answered(&arrival, now),
            Some(_) => {}
            None => break,
        }
    }
    io.report_drops();
    live.close();
    Ok(())
}

/// Reads the frames in a thread of its own, each when its time has come.
fn play(
    frames: Frames,
    numbers: Vec<u64>,
    settings: &Settings,
    slot: Arc<Mutex<Slot>>,
) -> Result<()> {
    let (each, again) = (Duration::from_secs_f64(1.0 / settings.fps), settings.r#loop);
    let work = move || {
        let mut due = Instant::now();
        loop {
            for number in &numbers {
                let read = frames.read(*number);
                thread::sleep(due.saturating_duration_since(Instant::now()));
                due += each;
                let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
                slot.came += 1;
                slot.skipped += u64::from(slot.newest.is_some());
                slot.newest = Some(read);
            }
            if !again {
                break;
            }
        }
        slot.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
    };
    thread::Builder::new()
        .name("player".into())
        .spawn(work)
        .wrap_err("no thread for playing the clip")?;
    Ok(())
}
