"""Makes crates/metrics/tests/fixtures/metrics: label planes drawn here, and what the field's own tools say about them.

    python3 -m venv /tmp/venv && /tmp/venv/bin/pip install numpy pillow opencv-python-headless scikit-image scikit-learn
    /tmp/venv/bin/python tests/parity/metrics.py FOLDER_WITH_THE_CLONES     # see metrics_upstream.py

| file | tool |
|---|---|
| semantic.json | mmsegmentation's IoUMetric; checked against scikit-learn here |
| fewshot.json | HSNet's Evaluator and AverageMeter |
| video.json | davis2017-evaluation: db_eval_iou, db_eval_boundary, db_statistics, combined as its evaluate() does |
| youtube_vos.json | none is public (a server scores): the means as the benchmark's paper defines them, of the same J and F |
| panoptic.json | panopticapi's pq_compute_single_core and pq_average |
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from skimage.morphology import disk  # noqa: F401, sklearn and skimage before anything stands in for PyTorch
from sklearn.metrics import accuracy_score, f1_score, jaccard_score

from metrics_upstream import Tensor, load

UPSTREAM = sys.argv[1] if len(sys.argv) > 1 else "."
OUT = Path(__file__).parents[2] / "crates/metrics/tests/fixtures/metrics"
RNG = np.random.default_rng(20)


def field(size, cells):
    """Smooth noise, values about 0 to 1."""
    coarse = Image.fromarray(RNG.random((cells, cells), np.float32))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC))


def blobs(size, classes, cells=5):
    return np.argmax([field(size, cells) for _ in range(classes)], axis=0).astype(np.uint8)


def disturbed(truth, classes, share=0.25, cells=9):
    """Like `truth`, but wrong in places."""
    wrong = blobs(truth.shape[::-1], classes, cells)
    return np.where(field(truth.shape[::-1], cells) < share + 0.1, wrong, truth).astype(np.uint8)


def save(name, array):
    path = OUT / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path, optimize=True)
    return name


def write(name, content):
    (OUT / name).write_text(json.dumps(content, indent=1) + "\n")


def numbers(array):
    return [None if np.isnan(x) else float(x) for x in np.asarray(array, np.float64)]


def semantic():
    metric = load(UPSTREAM, "mmsegmentation", "mmseg.evaluation.metrics.iou_metric", [
        "mmengine", "mmengine.dist", "mmengine.evaluator", "mmengine.logging", "mmengine.utils", "mmseg.registry",
        "prettytable"]).IoUMetric
    classes, pictures, areas, pairs = 7, [], [], []
    for at, size in enumerate([(40, 30), (64, 48), (17, 53), (1, 9)]):
        truth = blobs(size, 5)  # class 5 is only predicted, class 6 never occurs
        prediction = disturbed(truth, 6)
        truth[field(size, 7) > 0.75] = 255
        pairs.append((truth, prediction))
        pictures.append({"truth": save(f"semantic/{at}_truth.png", truth),
                         "prediction": save(f"semantic/{at}_prediction.png", prediction)})
        areas.append(metric.intersect_and_union(prediction.view(Tensor), truth.view(Tensor), classes, 255))
    totals = [sum(column) for column in zip(*areas)]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = metric.total_area_to_metrics(*totals, metrics=["mIoU", "mDice"])
    check_against_scikit_learn(pairs, found)
    write("semantic.json", {
        "classes": list(range(classes)), "pictures": pictures,
        "aAcc": float(found["aAcc"]), "IoU": numbers(found["IoU"]), "Acc": numbers(found["Acc"]),
        "Dice": numbers(found["Dice"]), "mIoU": float(np.nanmean(found["IoU"])),
        "mAcc": float(np.nanmean(found["Acc"])), "mDice": float(np.nanmean(found["Dice"]))})


def check_against_scikit_learn(pairs, found):
    truth = np.concatenate([t[t != 255] for t, _ in pairs])
    prediction = np.concatenate([p[t != 255] for t, p in pairs])
    labels = list(range(6))
    np.testing.assert_allclose(jaccard_score(truth, prediction, labels=labels, average=None), found["IoU"][:6], atol=1e-6)
    np.testing.assert_allclose(f1_score(truth, prediction, labels=labels, average=None), found["Dice"][:6], atol=1e-6)
    np.testing.assert_allclose(accuracy_score(truth, prediction), found["aAcc"], atol=1e-6)


def fewshot():
    meter_class = load(UPSTREAM, "hsnet", "common.logger", ["tensorboardX"]).AverageMeter
    evaluator = load(UPSTREAM, "hsnet", "common.evaluation").Evaluator
    evaluator.initialize()
    folds = []
    for fold in range(2):
        class_ids = [fold * 5 + i for i in range(5)]  # PASCAL-5i; the last class of a fold gets no episode
        meter = meter_class(type("Data", (), {"benchmark": "pascal", "class_ids": class_ids}))
        episodes = []
        for at in range(9):
            class_id = class_ids[at % 4]
            size = [(40, 30), (31, 45)][at % 2]
            truth = (blobs(size, 3) == 1).astype(np.uint8)
            prediction = disturbed(truth, 2)
            if at == 3:
                prediction[:] = 0
            ignored = (field(size, 6) > 0.85) & (truth == 0)
            batch = {"query_mask": truth.astype(np.float32)[None].view(Tensor),
                     "query_ignore_idx": ignored.astype(np.float32)[None].view(Tensor)}
            inter, union = evaluator.classify_prediction(prediction.astype(np.float32)[None].view(Tensor), batch)
            meter.update(inter, union, np.array([class_id]), loss=None)
            truth[ignored] = 255
            episodes.append({"class": class_id,
                             "truth": save(f"fewshot/{fold}_{at}_truth.png", truth),
                             "prediction": save(f"fewshot/{fold}_{at}_prediction.png", prediction)})
        miou, fb_iou = meter.compute_iou()
        folds.append({"classes": class_ids, "episodes": episodes, "mIoU": float(miou), "FB-IoU": float(fb_iou)})
    write("fewshot.json", {"folds": folds})


def video():
    metrics = load(UPSTREAM, "davis2017-evaluation", "davis2017.metrics")
    statistics = load(UPSTREAM, "davis2017-evaluation", "davis2017.utils", ["PIL"]).db_statistics
    videos, per_object = [], []
    for name, size, frames, objects in [("one", (64, 48), 9, 1), ("two", (160, 120), 7, 2), ("long", (48, 27), 13, 3)]:
        fields = np.array([field(size, 5) for _ in range(objects + 1)])
        drift = np.array([field(size, 5) for _ in range(objects + 1)])
        truth = [np.argmax(fields + drift * at * 0.06, axis=0).astype(np.uint8) for at in range(frames)]
        answer = [disturbed(t, objects + 1, 0.1 + 0.02 * at) for at, t in enumerate(truth)]
        truth[3][:] = 0      # an object may be gone,
        answer[4][answer[4] == objects] = 0  # or missed,
        answer[3][: 5] = 0
        if objects == 1:
            answer[3][:] = 0  # or rightly not found
        entry = {"name": name, "objects": objects, "frames": []}
        for at in range(frames):
            entry["frames"].append({"truth": save(f"video/{name}_{at:02}_truth.png", truth[at]),
                                    "prediction": save(f"video/{name}_{at:02}_prediction.png", answer[at])})
        inner = slice(1, -1)  # semi-supervised: the given frame and the last one do not count
        t, p = np.array(truth)[inner], np.array(answer)[inner]
        entry["scores"] = []
        for number in range(1, objects + 1):
            with np.errstate(invalid="ignore", divide="ignore"):
                j = metrics.db_eval_iou(t == number, p == number)
            f = metrics.db_eval_boundary(t == number, p == number)
            row = {"object": number, "J": numbers(j), "F": numbers(f),
                   "J_statistics": numbers(statistics(j)), "F_statistics": numbers(statistics(f))}
            entry["scores"].append(row)
            per_object.append((name, number, row["J_statistics"], row["F_statistics"]))
        videos.append(entry)
    j, f = (np.mean([row[column] for row in per_object], axis=0) for column in (2, 3))
    boundaries = []
    for at, size in enumerate([(64, 48), (33, 71), (320, 240), (854, 480), (5, 3)]):
        truth = (blobs(size, 2, 4) == 1).astype(np.uint8)
        prediction = disturbed(truth, 2)
        void = field(size, 6) > 0.8
        shown = truth + 0
        shown[void] = 255
        boundaries.append({
            "truth": save(f"boundary/{at}_truth.png", shown), "prediction": save(f"boundary/{at}_prediction.png", prediction),
            "J": float(metrics.db_eval_iou(truth, prediction, void)),
            "F": float(metrics.db_eval_boundary(truth, prediction, void)),
            "F_3_pixels": float(metrics.db_eval_boundary(truth, prediction, void, bound_th=3))})
    write("video.json", {"videos": videos, "boundaries": boundaries,
                         "J": numbers(j), "F": numbers(f), "J&F": float((j[0] + f[0]) / 2)})
    seen = {("one", 1): True, ("two", 1): False, ("two", 2): True, ("long", 1): False, ("long", 2): True, ("long", 3): True}
    mean = lambda column, kind: float(np.mean([row[column][0] for row in per_object if seen[row[:2]] == kind]))
    groups = {"J_seen": mean(2, True), "J_unseen": mean(2, False), "F_seen": mean(3, True), "F_unseen": mean(3, False)}
    write("youtube_vos.json", {"seen": [[*key, value] for key, value in seen.items()],
                               **groups, "G": float(np.mean(list(groups.values())))})


def panoptic():
    evaluation = load(UPSTREAM, "panopticapi", "panopticapi.evaluation")
    categories = {1: 1, 2: 1, 3: 1, 7: 0, 8: 0, 9: 0}  # id: is a thing; 3 and 9 never occur
    of_label = [1, 1, 2, 2, 2, 7, 8]
    matched = []
    for at, size in enumerate([(80, 60), (53, 71), (64, 64), (40, 90)]):
        truth_labels = blobs(size, 7, 6)
        answer_labels = disturbed(truth_labels, 7, 0.3)
        truth_void = field(size, 5) > 0.8
        answer_void = field(size, 5) > 0.9
        crowd = 3 if at in (1, 3) else None
        pair = []
        for kind, labels, void in [("truth", truth_labels, truth_void), ("prediction", answer_labels, answer_void)]:
            ids = RNG.choice(np.arange(1, 256 ** 3), 7, replace=False)
            plane = np.where(void, 0, ids[labels])
            segments = []
            for label, (id_, category) in enumerate(zip(ids, of_label)):
                area = int((plane == id_).sum())
                if kind == "prediction" and label == 2 and at == 0:
                    category = 1  # a right shape with a wrong name
                if area:
                    segments.append({"id": int(id_), "category_id": category, "area": area,
                                     "iscrowd": int(kind == "truth" and label == crowd)})
            rgb = np.stack([plane % 256, plane // 256 % 256, plane // 65536], axis=2).astype(np.uint8)
            pair.append({"image_id": at, "file_name": Path(save(f"panoptic/{kind}/{at}.png", rgb)).name,
                         "segments_info": segments})
        matched.append(pair)
    named = {id_: {"id": id_, "isthing": thing} for id_, thing in categories.items()}
    copies = json.loads(json.dumps(matched))  # the tool writes into its arguments
    with contextlib.redirect_stdout(io.StringIO()):
        stat = evaluation.pq_compute_single_core(0, matched, OUT / "panoptic/truth", OUT / "panoptic/prediction", named)
    result = {}
    for name, thing in [("all", None), ("things", True), ("stuff", False)]:
        result[name], classes = stat.pq_average(named, isthing=thing)
        if name == "all":
            result["classes"] = {str(id_): {k: float(v) for k, v in row.items()} for id_, row in classes.items()}
        result[name] = {key: float(value) for key, value in result[name].items()}
    write("panoptic.json", {"categories": list(named.values()), **result,
                            "pictures": [{"truth": a, "prediction": b} for a, b in copies]})


for make in (semantic, fewshot, video, panoptic):
    make()
