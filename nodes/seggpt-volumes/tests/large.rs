//! A large scan within bounds.
#![allow(clippy::unwrap_used)]

use std::{
    fs::{self, File},
    io::Write,
    path::Path,
    time::Instant,
};

use clap::Parser;
use flate2::{Compression, write::GzEncoder};
use seggpt_contract::{ClassIds, Mask, Prompted, Provenance, Square};
use seggpt_volumes::{
    Settings,
    session::{Guard, Next, Session},
    summary::State,
};

const SHAPE: [usize; 3] = [512, 512, 2000];
const MEGABYTES: u64 = 400;

struct Plain;

impl Guard for Plain {
    fn over(
        &self,
        _: &str,
        work: &mut dyn FnMut() -> Result<Prompted, String>,
    ) -> Result<Prompted, String> {
        work()
    }

    fn read(&self, _: &str, work: &mut dyn FnMut() -> Result<(), String>) -> Result<(), String> {
        work()
    }
}

/// A compressed volume of 1 mm voxels, plane by plane.
fn write(path: &Path, datatype: i16, plane: impl Fn(usize) -> Vec<u8>) {
    let mut header = vec![0; 352];
    header[..4].copy_from_slice(&348_i32.to_le_bytes());
    for (at, value) in [3, SHAPE[0], SHAPE[1], SHAPE[2], 1, 1, 1, 1]
        .iter()
        .enumerate()
    {
        header[40 + 2 * at..42 + 2 * at].copy_from_slice(&(*value as i16).to_le_bytes());
    }
    header[70..72].copy_from_slice(&datatype.to_le_bytes());
    header[108..112].copy_from_slice(&352_f32.to_le_bytes());
    header[254..256].copy_from_slice(&1_i16.to_le_bytes());
    for axis in 0..3 {
        let at = 280 + 20 * axis;
        header[at..at + 4].copy_from_slice(&1_f32.to_le_bytes());
    }
    header[344..348].copy_from_slice(b"n+1\0");
    let mut gzip = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
    gzip.write_all(&header).unwrap();
    (0..SHAPE[2]).for_each(|z| gzip.write_all(&plane(z)).unwrap());
    gzip.finish().unwrap();
}

/// The most memory that this process has had, in megabytes.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        >> 10
}

/// Each axis: a label volume of 500 MB is turned on its way out.
#[test]
#[ignore = "writes 2 GB and takes minutes"]
fn two_thousand_slices_stay_within_400_megabytes() {
    let folder = tempfile::tempdir().unwrap();
    let (scan, labels) = (
        folder.path().join("scan.nii.gz"),
        folder.path().join("labels.nii.gz"),
    );
    let [nx, ny, _] = SHAPE;
    let inside =
        |at: usize, z: usize| (at % nx).abs_diff(256) + (at / nx).abs_diff(256) < 60 + z % 50;
    write(&scan, 4, |z| {
        let value = |at: usize| (at * 7919 % 97) as i16 + i16::from(inside(at, z)) * 900;
        (0..nx * ny)
            .flat_map(|at| value(at).to_le_bytes())
            .collect()
    });
    write(&labels, 2, |z| match z {
        1000 => (0..nx * ny).map(|at| u8::from(inside(at, z))).collect(),
        _ => vec![0; nx * ny],
    });
    for axis in [2, 1] {
        let out = folder.path().join(format!("out-{axis}"));
        let words = [
            "x".to_owned(),
            format!("--inputs={}", scan.display()),
            format!("--prompt-pairs={}={}", scan.display(), labels.display()),
            format!("--out={}", out.display()),
            format!("--axis={axis}"),
            "--canvas-size=64".into(),
        ];
        let started = Instant::now();
        let mut session = Session::open(Settings::parse_from(words), "flow").unwrap();
        let mut first = None;
        loop {
            match session.next(&Plain).unwrap() {
                Next::Ask(question) => {
                    first.get_or_insert_with(|| started.elapsed());
                    let (width, height) = (question.identity.width, question.identity.height);
                    let pixels = (width * height) as usize;
                    let mask = Mask {
                        width,
                        height,
                        ids: ClassIds::from_ids(
                            (0..pixels).map(|at| u16::from(inside(at, 9))).collect(),
                        ),
                        confidence: vec![200_u8; pixels].into(),
                        classes: vec![],
                        painted: Square::new(1, vec![0_u8; 3]).unwrap(),
                        instances: None,
                        shares: None,
                        provenance: Provenance::default(),
                    };
                    session.answer(&question.identity.item, Ok(&mask)).unwrap();
                }
                Next::Told(told) => panic!("{told:?}"),
                Next::Wait => {}
                Next::Over(_) => break,
            }
        }
        session.close(State::Finished, None).unwrap();
        let said = format!(
            "axis {axis}: first slice after {:.1} s, all after {:.1} s, at most {} MB\n",
            first.unwrap().as_secs_f64(),
            started.elapsed().as_secs_f64(),
            peak()
        );
        std::io::stderr().write_all(said.as_bytes()).unwrap();
        assert!(peak() <= MEGABYTES, "{said}");
    }
}
