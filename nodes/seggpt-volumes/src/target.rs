//! A volume that is being asked.

use std::{collections::BTreeMap, path::Path};

use eyre::{Result, WrapErr, bail, ensure};
use seggpt_contract::{Encoding, Example, Mask, Picture, Prompted, Provenance};
use seggpt_imaging::descriptor::{descriptor, similarity};
use seggpt_volume::{Answer, Chain, Key, Plan, Scan, Source, Way};

use crate::{
    answers::Answers,
    examples::{Examples, grey},
    inputs::Volume,
    settings::Settings,
};

/// An answer whose mean confidence is lower guides no other.
const SURE: f64 = 0.2;
/// Nor does one whose area is by this factor, and by this share of the picture, more or less than the one before.
const JUMP: f64 = 2.0;
const SMALL: f64 = 0.002;
/// How many slices and how many examples are compared to find where to begin.
const LOOKED_AT: usize = 64;
const MODELS: usize = 8;

/// A volume that is being asked.
pub struct Target {
    /// Its place in the list of volumes.
    pub volume: usize,
    /// Its slices.
    pub scan: Scan,
    /// What is asked.
    pub plan: Plan,
    /// The example that it is itself.
    pub own: Option<usize>,
    /// What has been answered.
    pub answers: Answers,
    /// Why questions have no answer.
    pub failed: BTreeMap<Key, String>,
    /// How the last answer came about.
    pub provenance: Option<Provenance>,
    under_way: Vec<Key>,
}

/// The axis of a volume's slices, and what of it is labelled: what a plan needs, but for where to begin.
pub fn outline(
    volume: &Volume,
    source: &Source,
    examples: &Examples,
    settings: &Settings,
) -> (usize, Option<usize>, Plan) {
    let grid = source.grid();
    let own = examples.of(source, volume.time);
    let axis = own.map_or_else(
        || settings.axis.of(&grid.affine, grid.shape),
        |own| examples.axis(own),
    );
    let labelled = own.map(|own| examples.labelled(own)).unwrap_or_default();
    let plan = Plan::new(grid.shape[axis], labelled, settings.gap, 0);
    (axis, own, plan)
}

impl Target {
    /// Reads a volume. `work`: the folder for its answers and scratch files.
    ///
    /// # Errors
    /// Its file is damaged, or the disk refuses.
    pub fn open(
        at: usize,
        volume: &Volume,
        source: &Source,
        examples: &Examples,
        settings: &Settings,
        work: &Path,
    ) -> Result<Self> {
        let (axis, own, mut plan) = outline(volume, source, examples, settings);
        let scratch = work.join("scan");
        let scan = Scan::open(source, volume.time, axis, settings.grey, &scratch)?;
        if own.is_none() {
            let start = start(&scan, examples)?;
            plan = Plan::new(scan.view.count(), plan.labelled, settings.gap, start);
        }
        let (width, height) = scan.view.size();
        Ok(Self {
            volume: at,
            answers: Answers::open(work.join("answers"), width * height)?,
            failed: BTreeMap::new(),
            provenance: None,
            under_way: Vec::new(),
            scan,
            plan,
            own,
        })
    }

    /// The next question that may be asked: of each chain one at a time, once what it builds on is answered.
    pub fn next_key(&mut self) -> Option<Key> {
        let settled = |key: &Key| self.answers.has(*key) || self.failed.contains_key(key);
        let free = |chain: &&Chain| {
            chain.root.is_none_or(|root| settled(&root))
                && !chain.keys().any(|key| self.under_way.contains(&key))
        };
        let mut chains = self.plan.chains.iter().filter(free);
        let next = chains.find_map(|chain| chain.keys().find(|key| !settled(key)))?;
        self.under_way.push(next);
        Some(next)
    }

    /// How many chains may be asked at a time.
    pub fn chains(&self) -> usize {
        let settled = |key: &Key| self.answers.has(*key) || self.failed.contains_key(key);
        let open = |chain: &&Chain| !chain.keys().all(|key| settled(&key));
        self.plan.chains.iter().filter(open).count()
    }

    /// Whether every question is settled.
    pub fn is_over(&self) -> bool {
        self.chains() == 0
    }

    /// The question with its examples: the nearest labelled slices, K of all labelled ones, the last answers of its chain.
    ///
    /// # Errors
    /// Scratch files cannot be read, or the strategy cannot judge the slice.
    pub fn ask(
        &self,
        key: Key,
        item: &str,
        examples: &mut Examples,
        settings: &Settings,
    ) -> Result<Prompted> {
        let values = self.scan.slice(key.slice)?;
        let picture = grey(&self.scan, key.slice)?;
        let mut shown = Vec::new();
        if let Some(own) = self.own {
            let (below, above) = self.plan.beside(key.slice);
            let mut beside: Vec<usize> = [below, above].into_iter().flatten().collect();
            beside.sort_by_key(|slice| slice.abs_diff(key.slice));
            shown.extend(beside.into_iter().map(|slice| ((own, slice), 1.0)));
        }
        let known: Vec<(usize, usize)> = shown.iter().map(|(slice, _)| *slice).collect();
        shown.extend(examples.select(item, &picture, &known)?);
        let mut all: Vec<Example> = shown
            .into_iter()
            .map(|((at, slice), score)| examples.example(at, slice, score))
            .collect::<Result<_>>()?;
        for (before, answer) in self.memory(key, settings.memory as usize) {
            let picture = grey(&self.scan, before.slice)?;
            let name = format!("{before} as answered");
            all.push(examples.prepared(name, &picture, &answer.ids, 0.0)?);
        }
        let (width, height) = self.scan.view.size();
        Ok(Prompted {
            image: Picture::new(width as u32, height as u32, Encoding::Mono8, values)?,
            examples: all,
            classes: examples.classes().to_vec(),
            kind: settings.r#type,
            selection: settings.select.clone(),
            warnings: examples.warnings.clone(),
        })
    }

    /// Takes an answer.
    ///
    /// # Errors
    /// The disk refuses it; as text, the answer is none for this slice.
    pub fn answer(&mut self, key: Key, mask: &Mask) -> Result<Result<(), String>> {
        let (width, height) = self.scan.view.size();
        let pixels = width * height;
        let size = (mask.width as usize, mask.height as usize);
        if size != (width, height) || (mask.ids.len(), mask.confidence.len()) != (pixels, pixels) {
            return Ok(Err(format!(
                "the answer has {} x {} pixels, the slice {width} x {height}",
                size.0, size.1
            )));
        }
        let answer = Answer {
            ids: mask.ids.to_vec(),
            confidence: mask.confidence.to_vec(),
        };
        let remembered = self.is_to_remember(key, &answer);
        self.answers.put(key, &answer, remembered)?;
        self.provenance = Some(mask.provenance.clone());
        self.under_way.retain(|under_way| *under_way != key);
        Ok(Ok(()))
    }

    /// A question gets no answer.
    pub fn fail(&mut self, key: Key, error: String) {
        self.under_way.retain(|under_way| *under_way != key);
        self.failed.insert(key, error);
    }

    /// What was answered for a slice as a whole: `None` where nothing was.
    pub fn settled(&self, slice: usize) -> Option<Answer> {
        let of = |way| {
            self.answers
                .get(Key { slice, way })
                .map(|(answer, _)| answer)
        };
        match (of(Way::Up), of(Way::Down)) {
            (Some(up), Some(down)) => {
                let share = self.plan.share(slice).unwrap_or(0.5);
                Some(up.mix(&down, share))
            }
            (up, down) => up.or(down),
        }
    }

    fn chain(&self, key: Key) -> Option<(&Chain, usize)> {
        let mut chains = self.plan.chains.iter();
        chains.find_map(|chain| Some((chain, chain.keys().position(|own| own == key)?)))
    }

    /// The last answers of the chain that are worth it, the last first.
    fn memory(&self, key: Key, count: usize) -> Vec<(Key, Answer)> {
        let Some((chain, at)) = self.chain(key).filter(|_| count > 0) else {
            return Vec::new();
        };
        let remembered = chain.before(at).filter_map(|before| {
            let (answer, remembered) = self.answers.get(before)?;
            remembered.then_some((before, answer))
        });
        remembered.take(count).collect()
    }

    fn is_to_remember(&self, key: Key, answer: &Answer) -> bool {
        let before = self.memory(key, 1).pop().map(|(_, before)| before.area());
        let small = SMALL * answer.ids.len() as f64;
        let area = answer.area() as f64;
        let jumps = before.is_some_and(|before| {
            let before = before as f64;
            area > before * JUMP + small || area < before / JUMP - small
        });
        answer.surety() >= SURE && !jumps
    }
}

/// The slice most like an example; of equals the first.
fn start(scan: &Scan, examples: &Examples) -> Result<usize> {
    let count = scan.view.count();
    ensure!(count > 0, "a volume without slices");
    let models: Vec<Vec<f32>> = examples.models(MODELS)?.iter().map(descriptor).collect();
    let mut best = None;
    for slice in (0..count).step_by(count.div_ceil(LOOKED_AT)) {
        let own = descriptor(&grey(scan, slice).wrap_err("where to begin")?);
        let alike = models.iter().map(|model| similarity(model, &own));
        let alike = alike.fold(f32::NEG_INFINITY, f32::max);
        if best.is_none_or(|(most, _)| alike > most) {
            best = Some((alike, slice));
        }
    }
    match best {
        Some((_, slice)) => Ok(slice),
        None => bail!("no slice to begin with"),
    }
}
