//! The sink without dora: answers in, files and acknowledgements out.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use eyre::{Result, WrapErr, ensure, eyre};
use seggpt_contract::{ContractError, Failure, Identity, Mask, Message, Parameter, Status};
use seggpt_node::outcome;
use seggpt_raster::{
    Placement,
    finish::{self, Layer},
    geo,
    work::{self, Class, Ended, Work},
};
use seggpt_store::{Refusal, Store, names::check_name, part_of};
use serde_json::json;

use crate::{
    PolygonFile, Settings, legend,
    record::{Outcome, Record},
    regions,
};

/// A tile that is done with, and how it ended.
pub type Finished = (Identity, Status);

/// The key beside a message under which a tile says where it belongs.
const KEY: &str = "map";

const STAYS: &str = "what is done stays, and the run goes on from there when it is started again";

/// Writes masks of maps.
#[derive(Debug)]
pub struct Sink {
    settings: Settings,
    out: PathBuf,
    run: String,
    store: Store<Record>,
    /// Maps that are not done, by what the run calls them.
    open: BTreeMap<String, Work>,
    /// Tiles that have ended, of maps that were not done when the run began.
    finished: u64,
}

impl Sink {
    /// Opens OUT, and writes what is still to be written of tiles that are there. `run`: what this run is called.
    ///
    /// # Errors
    /// OUT cannot be written, another process writes there, or it holds results of another key.
    pub fn open(settings: Settings, run: &str) -> Result<Self> {
        let out = std::path::absolute(&settings.out).wrap_err("OUT")?;
        fs::create_dir_all(&out)
            .wrap_err_with(|| format!("OUT {}: cannot be made", out.display()))?;
        let store = Store::open(&out, &settings.run_key, run)?;
        if store.left() > 0 {
            return Err(Refusal::WithoutKey {
                root: out,
                count: store.left(),
            }
            .into());
        }
        let mut sink = Self {
            settings,
            out,
            run: run.to_owned(),
            store,
            open: BTreeMap::new(),
            finished: 0,
        };
        let own: Vec<String> = sink
            .store
            .entries()
            .iter()
            .filter(|(_, entry)| entry.own)
            .map(|(item, _)| item.clone())
            .collect();
        for record in sink.records(|item| own.iter().any(|own| own == item))? {
            sink.finished += u64::from(record.tiles);
        }
        sink.take_up()?;
        sink.advance()?;
        sink.write_run()?;
        Ok(sink)
    }

    /// Opens the maps that an earlier process left, where they belong to this key.
    fn take_up(&mut self) -> Result<()> {
        let folders = match fs::read_dir(self.out.join(work::FOLDER)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            folders => folders.wrap_err("OUT")?,
        };
        for folder in folders {
            let folder = folder.wrap_err("OUT")?.path();
            let at = || format!("{}: cannot be read; {STAYS}", folder.display());
            let Some(placement) = work::map_of(&folder, self.key()).wrap_err_with(at)? else {
                continue;
            };
            let work = Work::open(&folder, self.key(), &placement).wrap_err_with(at)?;
            self.finished += u64::from(work.ended());
            tracing::info!(
                "{}: {} of {} tiles are there already",
                placement.map,
                work.ended(),
                work.grid().len()
            );
            self.open.insert(placement.map, work);
        }
        Ok(())
    }

    /// Takes the answer to a tile. Returns what is done with now: acknowledge it before [`advance`](Self::advance).
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn mask(&mut self, message: Message<Mask>) -> Result<Vec<Finished>> {
        let identity = message.identity().clone();
        seggpt_fault::at("before-work", &identity.item);
        let placement = match placement(&identity) {
            Ok(placement) => placement,
            Err(reason) => {
                let error = format!(
                    "it does not say where it belongs ({reason}); maps come from seggpt-source-geotiff"
                );
                tracing::error!("{}: {error}", identity.item);
                self.finished += 1;
                outcome::report(&identity, Status::Failed, self.finished, &error);
                return Ok(vec![(identity, Status::Failed)]);
            }
        };
        if self.is_done(&placement) {
            return Ok(vec![self.again(identity)]);
        }
        let tile = placement.tile;
        let work = self.work(&placement)?;
        if work.has(tile) {
            return Ok(vec![self.again(identity)]);
        }
        let (how, data) = ended(message, &placement);
        let error = match &how {
            Ended::Failed { error } => error.clone(),
            _ => String::new(),
        };
        work.keep(tile, &how, &data).wrap_err_with(|| {
            format!(
                "{}: the answer to {} cannot be written; {STAYS}",
                work.folder().display(),
                identity.item
            )
        })?;
        seggpt_fault::at("after-rename", &identity.item);
        self.finished += 1;
        let status = if error.is_empty() {
            Status::Done
        } else {
            Status::Failed
        };
        outcome::report(&identity, status, self.finished, &error);
        Ok(vec![(identity, status)])
    }

    /// An answer came that cannot be read.
    ///
    /// # Errors
    /// OUT cannot be written.
    pub fn unreadable(
        &mut self,
        identity: Identity,
        error: &ContractError,
    ) -> Result<Vec<Finished>> {
        let failure = Failure {
            node: String::new(),
            error: format!("the answer cannot be read: {error}"),
        };
        self.mask(Message::Failed(identity, failure))
    }

    /// What a process that died may not have said.
    fn again(&self, identity: Identity) -> Finished {
        outcome::report_again(&identity.item, Status::Done, self.finished, "");
        (identity, Status::Done)
    }

    /// Whether this run has written the map already.
    fn is_done(&self, placement: &Placement) -> bool {
        let entry = self.store.entries().get(&placement.map);
        entry.is_some_and(|entry| entry.own) && !self.open.contains_key(&placement.map)
    }

    /// What kept answers belong to: without a key, to this run alone.
    fn key(&self) -> &str {
        match self.settings.run_key.as_str() {
            "" => &self.run,
            key => key,
        }
    }

    fn work(&mut self, placement: &Placement) -> Result<&mut Work> {
        let is_other = |work: &Work| *work.placement() != placement.of_map();
        if self.open.get(&placement.map).is_none_or(is_other) {
            check_name(&placement.name)?;
            let Settings {
                polygons, min_area, ..
            } = &self.settings;
            let (tags, map) = (regions::tags(placement)?, Path::new(&placement.source));
            regions::check(polygons, *min_area > 0.0, &tags, map, placement.size)?;
            let folder = work::folder(&self.out, &placement.name);
            if let Some(old) = self.open.remove(&placement.map) {
                tracing::warn!(
                    "{}: its file or its tiles have changed; it is begun anew",
                    placement.map
                );
                self.finished = self.finished.saturating_sub(old.ended().into());
            }
            let taken = self.open.values().find(|work| work.folder() == folder);
            if let Some(other) = taken {
                return Err(eyre!(
                    "{} and {} have results of one name",
                    placement.map,
                    other.placement().map
                ));
            }
            let work = Work::open(&folder, self.key(), placement)
                .wrap_err_with(|| format!("{}: cannot be written; {STAYS}", folder.display()))?;
            self.open.insert(placement.map.clone(), work);
        }
        self.open
            .get_mut(&placement.map)
            .ok_or_else(|| eyre!("it was opened just now"))
    }

    /// Writes rows whose tiles are all there, and finishes maps whose rows are.
    ///
    /// # Errors
    /// OUT cannot be written, or a kept answer is damaged.
    pub fn advance(&mut self) -> Result<()> {
        let mut whole = vec![];
        for (item, work) in &mut self.open {
            let at = || format!("{item}: a row of its mask cannot be written; {STAYS}");
            while work.write_row().wrap_err_with(at)? {
                seggpt_fault::at("after-row", item);
            }
            if work.is_whole() {
                whole.push(item.clone());
            }
        }
        for item in whole {
            if let Some(work) = self.open.remove(&item) {
                self.finish(&work)
                    .wrap_err_with(|| format!("{item}: its mask cannot be written; {STAYS}"))?;
                self.write_run()?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, work: &Work) -> Result<()> {
        let placement = work.placement();
        let name = &placement.name;
        let tags = regions::tags(placement)?;
        let mut record = Record::of(work, &self.settings.run_key, &self.run);
        if !work.holds_something() {
            tracing::warn!(
                "{}: no pixel of it holds anything; is its nodata value right?",
                record.item
            );
        }
        let settings = &self.settings;
        let part = |file: &str| part_of(&self.out.join(file));
        if let Some(folder) = part(name).parent() {
            fs::create_dir_all(folder)?;
        }
        let outlines = |kind: PolygonFile| format!("{name}.polygons.{}", kind.word());
        let mut large = vec![];
        if settings.instances || !settings.polygons.is_empty() {
            let count = regions::write(work, settings, |kind| part(&outlines(kind)));
            record.regions = Some(count.wrap_err("its regions")?);
            let kinds = [PolygonFile::Gpkg, PolygonFile::Geojson].into_iter();
            let wanted = kinds.filter(|kind| settings.polygons.contains(kind));
            large.extend(wanted.map(|kind| (kind.word(), outlines(kind))));
        }
        let layers = [
            ("mask", Layer::Mask, true),
            ("confidence", Layer::Confidence, settings.confidence),
            ("instances", Layer::Regions, settings.instances),
        ];
        let mut pictures = vec![];
        for (kind, layer, _) in layers.into_iter().filter(|(_, _, wanted)| *wanted) {
            let file = format!("{name}.{kind}.tif");
            let part = part(&file);
            finish::write(work, layer, tags.clone(), &part)
                .wrap_err_with(|| format!("{}", part.display()))?;
            pictures.push(file.clone());
            large.push((kind, file));
        }
        for (kind, file) in &large {
            let bytes = fs::metadata(part(file))?.len();
            record.bytes.insert((*kind).to_owned(), bytes);
            record.files.insert((*kind).to_owned(), file.clone());
        }
        let source = Path::new(&placement.source);
        let classes = work.classes();
        let mut small = vec![
            (
                "names",
                format!("{name}.mask.tif.aux.xml"),
                legend::aux_xml(&classes, &geo::placing_elements(source)),
            ),
            ("style", format!("{name}.mask.qml"), legend::qml(&classes)),
        ];
        for file in &pictures {
            for (from, to) in geo::sidecars(source, Path::new(file)) {
                let to = to.to_string_lossy().into_owned();
                small.push((
                    "place",
                    to,
                    fs::read(&from).wrap_err_with(|| format!("{}", from.display()))?,
                ));
            }
        }
        let mut files = vec![];
        for (kind, file, bytes) in small {
            // Of several places, each is one.
            let kind = match kind {
                "place" => format!("place {file}"),
                kind => kind.to_owned(),
            };
            record.bytes.insert(kind.clone(), bytes.len() as u64);
            record.files.insert(kind, file.clone());
            files.push((file, bytes));
        }
        let large: Vec<String> = large.into_iter().map(|(_, file)| file).collect();
        self.store.stage_with(record, &files, &large)?;
        self.store.commit()?;
        seggpt_fault::at("after-journal", &placement.map);
        fs::remove_dir_all(work.folder())?;
        // The last map takes the folder of all along.
        let _ = fs::remove_dir(self.out.join(work::FOLDER));
        tracing::info!("{}: written", placement.map);
        Ok(())
    }

    fn records(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<Record>> {
        let entries = self.store.entries().iter().filter(|(item, _)| wanted(item));
        let mut offsets: Vec<u64> = entries.map(|(_, entry)| entry.offset).collect();
        offsets.sort_unstable();
        Ok(self.store.read(offsets)?.collect::<Result<_, _>>()?)
    }

    /// Writes `run.json`: every map that is done, and how far the others are.
    fn write_run(&self) -> Result<()> {
        let mut records = self.records(|_| true)?;
        records.sort_by_key(|record| record.index);
        let failed = records
            .iter()
            .filter(|record| record.status == Outcome::Failed)
            .count();
        let unfinished: Vec<_> = self
            .open
            .values()
            .map(|work| json!({ "item": work.placement().map, "tiles": work.grid().len(), "ended": work.ended() }))
            .collect();
        let run = json!({
            "run": self.run,
            "run_key": self.settings.run_key,
            "version": env!("CARGO_PKG_VERSION"),
            "done": records.len() - failed,
            "failed": failed,
            "maps": records,
            "unfinished": unfinished,
        });
        let path = self.out.join("run.json");
        seggpt_store::put(&path, &serde_json::to_vec_pretty(&run)?)
            .wrap_err_with(|| format!("{}: cannot be written", path.display()))
    }

    /// The inputs have ended: writes `run.json` for the last time. `outcome`: how the run ended, returned as it is.
    ///
    /// # Errors
    /// That of `outcome`, else OUT cannot be written.
    pub fn close(self, outcome: Result<()>) -> Result<()> {
        let written = self.write_run();
        for work in self.open.values() {
            tracing::warn!(
                "{}: {} of {} tiles are there; {STAYS}",
                work.placement().map,
                work.ended(),
                work.grid().len()
            );
        }
        outcome.and(written)
    }
}

fn placement(identity: &Identity) -> Result<Placement, String> {
    match identity.extra.get(KEY) {
        Some(Parameter::String(text)) => Placement::read(text),
        _ => Err(format!("no `{KEY}` in the metadata")),
    }
}

/// What is kept of an answer.
fn ended(message: Message<Mask>, placement: &Placement) -> (Ended, Vec<u8>) {
    let mask = match message {
        Message::Failed(..) if placement.is_empty => return (Ended::Empty, vec![]),
        Message::Failed(_, failure) => {
            return (
                Ended::Failed {
                    error: failure.error,
                },
                vec![],
            );
        }
        Message::Item(_, mask) => mask,
    };
    match answered(&mask, placement) {
        Ok(answer) => answer,
        Err(error) => (
            Ended::Failed {
                error: format!("{error:#}"),
            },
            vec![],
        ),
    }
}

fn answered(mask: &Mask, placement: &Placement) -> Result<(Ended, Vec<u8>)> {
    let shares = mask.shares.as_ref();
    let shares = shares.ok_or_else(|| {
        eyre!("the mask has no shares: set `SHARES: true` at the node that answers")
    })?;
    let classes: Vec<Class> = mask
        .classes
        .iter()
        .map(|result| Class {
            id: result.class.id,
            name: result.class.name.clone(),
            color: result.class.color,
        })
        .collect();
    ensure!(
        classes
            .iter()
            .all(|class| (1..u16::MAX).contains(&class.id)),
        "class ids of maps are 1 to 65534; number the classes anew"
    );
    let valid = placement
        .valid
        .as_ref()
        .map(|valid| valid.validity())
        .transpose();
    let valid = valid.map_err(|reason| eyre!(reason))?;
    let mut data = shares.bytes().to_vec();
    let size = valid.as_ref().map(|valid| (valid.width, valid.height));
    data.extend(valid.into_iter().flat_map(|valid| valid.pixels));
    let done = Ended::Done {
        classes,
        side: shares.side(),
        threshold: shares.threshold(),
        valid: size,
    };
    Ok((done, data))
}
