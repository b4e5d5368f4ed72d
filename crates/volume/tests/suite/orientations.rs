//! The same object, stored in each of the 48 orientations, is shown alike and comes back to where it was.

use seggpt_volume::{Affine, Axis, Grid, Scratch};

/// Voxels along right, anterior and superior.
const BODY: [usize; 3] = [3, 4, 5];
const ZOOMS: [f64; 3] = [1.0, 1.5, 3.0];

/// Each of the 48, with which patient's axis each voxel axis runs along and whether against it.
fn all() -> Vec<([usize; 3], [bool; 3])> {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    let flips = (0..8_u8).map(|bits| [0, 1, 2].map(|axis| bits >> axis & 1 == 1));
    orders
        .into_iter()
        .flat_map(|order| flips.clone().map(move |flip| (order, flip)))
        .collect()
}

fn grid(order: [usize; 3], flip: [bool; 3]) -> Grid {
    let mut rows = [[0.0; 4]; 3];
    for axis in 0..3 {
        let world = order[axis];
        rows[world][axis] = if flip[axis] {
            -ZOOMS[world]
        } else {
            ZOOMS[world]
        };
        // The object lies where it lies, however it is stored.
        rows[world][3] = if flip[axis] {
            ZOOMS[world] * (BODY[world] as f64 - 1.0)
        } else {
            0.0
        };
    }
    Grid {
        shape: order.map(|world| BODY[world]),
        affine: Affine(rows),
    }
}

/// Where in the object a voxel lies.
fn body(grid: &Grid, voxel: [usize; 3]) -> [usize; 3] {
    let place = grid.affine.place(voxel.map(|i| i as f64));
    [0, 1, 2].map(|world| (place[world] / ZOOMS[world]).round() as usize)
}

/// A scratch file whose voxels say where in the object they lie.
fn stored(grid: &Grid, axis: usize, folder: &std::path::Path) -> Scratch {
    let [nx, ny, nz] = grid.shape;
    let mut scratch = Scratch::create(&folder.join("s"), grid.shape, axis, 3).unwrap();
    for z in 0..nz {
        let plane: Vec<u8> = (0..ny)
            .flat_map(|y| (0..nx).map(move |x| [x, y, z]))
            .flat_map(|voxel| body(grid, voxel).map(|i| i as u8))
            .collect();
        scratch.write_slab(z, &plane).unwrap();
    }
    scratch
}

#[test]
fn slices_are_shown_as_radiologists_do_and_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let [right, anterior, superior] = BODY;
    for (order, flip) in all() {
        let grid = grid(order, flip);
        for (axis, normal) in [(Axis::Axial, 2), (Axis::Coronal, 1), (Axis::Sagittal, 0)] {
            let axis = axis.of(&grid.affine, grid.shape);
            let view = grid.view(axis);
            let scratch = stored(&grid, axis, folder.path());
            // Columns, rows.
            let size = match normal {
                2 => (right, anterior),
                1 => (right, superior),
                _ => (anterior, superior),
            };
            assert_eq!((view.size(), view.count()), (size, BODY[normal]));
            for index in 0..view.count() {
                let slice = scratch.read_slice(index).unwrap();
                let slice = slice.as_chunks::<3>().0;
                let shown = view.show(slice);
                for (at, pixel) in shown.iter().enumerate() {
                    let (column, row) = (at % size.0, at / size.0);
                    let [r, a, s] = pixel.map(usize::from);
                    // Right at left, superior up; axial: anterior up; sagittal: anterior at left.
                    let (across, down) = match normal {
                        2 => (right - 1 - r, anterior - 1 - a),
                        1 => (right - 1 - r, superior - 1 - s),
                        _ => (anterior - 1 - a, superior - 1 - s),
                    };
                    assert_eq!((column, row), (across, down), "{order:?} {flip:?}");
                    let placed = view.placing(&grid.affine, false);
                    let place = placed.place([column as f64, row as f64, index as f64]);
                    let expected = [0, 1, 2].map(|w| f64::from(pixel[w]) * ZOOMS[w]);
                    assert!((0..3).all(|w| (place[w] - expected[w]).abs() < 1e-9));
                }
                assert_eq!(view.unshow(&shown), slice);
            }
        }
    }
}

#[test]
fn a_label_volume_in_any_orientation_finds_the_slices_of_the_scan() {
    let folder = tempfile::tempdir().unwrap();
    for (order, flip) in all() {
        let scan = grid([0, 2, 1], [true, false, true]);
        let labels = grid(order, flip);
        for axis in 0..3 {
            let placed = scan.place(axis, &labels).unwrap();
            let own = stored(&scan, axis, folder.path());
            let labels_folder = folder.path().join("labels");
            let theirs = stored(&labels, placed.view.axis, &labels_folder);
            for index in 0..scan.view(axis).count() {
                let own = own.read_slice(index).unwrap();
                let theirs = theirs.read_slice(placed.slice(index)).unwrap();
                assert_eq!(
                    scan.view(axis).show(own.as_chunks::<3>().0),
                    placed.view.show(theirs.as_chunks::<3>().0),
                    "{order:?} {flip:?} {axis}"
                );
            }
        }
    }
}

#[test]
fn other_grids_are_refused_and_rounding_is_not() {
    let scan = grid([0, 1, 2], [false; 3]);
    let mut near = scan;
    near.affine.0[0][3] += 0.01;
    assert!(scan.place(2, &near).is_ok());
    let mut far = scan;
    far.affine.0[2][3] += 0.5;
    assert!(scan.place(2, &far).unwrap_err().contains("0.500 mm"));
    let mut small = scan;
    small.shape[0] = 2;
    assert!(scan.place(2, &small).unwrap_err().contains("2 x 4 x 5"));
}

#[test]
fn the_coarsest_axis_is_taken_and_of_equals_the_one_to_the_head() {
    let coarse = grid([2, 0, 1], [false; 3]);
    assert_eq!(Axis::Auto.of(&coarse.affine, coarse.shape), 0);
    let mut cube = coarse;
    for row in &mut cube.affine.0 {
        row.iter_mut()
            .take(3)
            .for_each(|value| *value = value.signum() * f64::from(u8::from(*value != 0.0)));
    }
    assert_eq!(Axis::Auto.of(&cube.affine, cube.shape), 0);
    assert_eq!(Axis::Auto.of(&cube.affine, [5, 1, 3]), 1);
    assert_eq!(
        "sagittal"
            .parse::<Axis>()
            .unwrap()
            .of(&cube.affine, [5, 1, 3]),
        1
    );
    assert_eq!("2".parse::<Axis>().unwrap().of(&cube.affine, [5, 1, 3]), 2);
    assert!("3".parse::<Axis>().is_err());
}
