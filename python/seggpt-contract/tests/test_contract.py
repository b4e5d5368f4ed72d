import json
import unittest

import numpy as np
import pyarrow as pa

from seggpt_contract import (
    NOTHING,
    ContractError,
    Failure,
    Greeting,
    Identity,
    ack,
    classes,
    confidence_plane,
    label_plane,
    passes_on,
    read,
    read_ack,
    read_canvases,
    read_image,
    write_image,
    write_mask,
)


class Metadata(unittest.TestCase):
    def test_an_identity_comes_back_with_the_keys_of_others(self):
        identity = Identity("a.png", index=3, width=4, height=2, extra={"time": 7, "name": "theirs"})
        self.assertEqual(read(identity.metadata()), identity)
        self.assertEqual(identity.metadata()["name"], "theirs")

    def test_failures_and_greetings_are_passed_on_and_items_are_not(self):
        failure = Failure(Identity("a"), "too dark", "camera")
        greeting = Greeting(7)
        for message in (failure, greeting):
            self.assertEqual(read(message.metadata()), message)
            self.assertTrue(passes_on({"metadata": message.metadata()}))
        self.assertFalse(passes_on({"metadata": Identity("a").metadata()}))
        self.assertFalse(passes_on({"metadata": {"width": 3}}))

    def test_what_rust_writes_is_read(self):
        text = '{"item":"a","name":"a","source":"a.png","index":0,"width":4,"height":2,"position":{"frame":{"number":5}}}'
        self.assertEqual(read({"seggpt": text}).position, {"frame": {"number": 5}})
        self.assertEqual(json.loads(Greeting(1).metadata()["seggpt"]), {"greeting": 1})

    def test_what_is_no_identity_is_named(self):
        for wrong in ("{", "[]", "{}", 7):
            with self.assertRaisesRegex(ContractError, "expected an identity as JSON"):
                read({"seggpt": wrong})

    def test_an_acknowledgement_needs_item_and_status(self):
        self.assertEqual(read_ack(ack("a")), ("a", "done"))
        with self.assertRaises(ContractError):
            read_ack(Identity("a").metadata())
        self.assertEqual(len(NOTHING), 0)


class Payloads(unittest.TestCase):
    def test_a_picture_comes_back(self):
        payload, metadata = write_image(Identity("a", width=2, height=1), bytes(range(6)), "rgb8")
        image = read_image(payload, metadata)
        self.assertEqual(image.array().tolist(), [[[0, 1, 2], [3, 4, 5]]])

    def test_a_picture_of_another_size_is_refused(self):
        with self.assertRaisesRegex(ContractError, "5 bytes in a 2 x 1 rgb8 picture; expected 6"):
            write_image(Identity("a"), bytes(5), "rgb8", (2, 1))

    def test_planes_and_classes_of_a_mask_are_read(self):
        plane = np.array([[0, 300], [1, 0]], "<u2")
        row = {
            "width": 2,
            "height": 2,
            "mask": plane.tobytes(),
            "mask_encoding": "label16",
            "confidence": bytes([1, 2, 3, 4]),
            "confidence_encoding": "mono8",
            "class_ids": [1, 300],
            "class_names": ["leaf", "stone"],
        }
        row = pa.StructArray.from_arrays(
            [pa.array([row[k]], pa.large_binary()) if isinstance(row[k], bytes) else pa.array([row[k]]) for k in row], list(row)
        )[0]
        self.assertEqual(label_plane(row).tolist(), plane.tolist())
        self.assertEqual(confidence_plane(row).tolist(), [[1, 2], [3, 4]])
        self.assertEqual(classes(row), {1: "leaf", 300: "stone"})

    def test_canvases_are_read(self):
        pixels = np.arange(2 * 2 * 3, dtype=np.uint8)
        fields = {
            "canvas": pa.array([2], pa.uint32()),
            "query": pa.array([pixels.tobytes()], pa.large_binary()),
            "prompt_names": pa.array([["a", "b"]]),
            "prompt_scores": pa.array([[1.0, 0.5]]),
            "prompt_images": pa.array([pixels.tobytes() * 2], pa.large_binary()),
            "prompt_masks": pa.array([bytes(24)], pa.large_binary()),
            "combine": pa.array(["feature"]),
            "ensemble": pa.array(["feature"]),
            "class_ids": pa.array([[1]]),
            "class_names": pa.array([["leaf"]]),
            "class_colors": pa.array([[255, 0, 9]]),
            "type": pa.array(["semantic"]),
        }
        row = pa.StructArray.from_arrays(list(fields.values()), list(fields))[0]
        canvases = read_canvases(row)
        self.assertEqual(canvases.query.tolist(), pixels.reshape(2, 2, 3).tolist())
        self.assertEqual([(p.name, p.score) for p in canvases.prompts], [("a", 1.0), ("b", 0.5)])
        self.assertEqual(canvases.classes, [(1, "leaf", (255, 0, 9))])
        row = pa.StructArray.from_arrays(list((fields | {"canvas": pa.array([3])}).values()), list(fields))[0]
        with self.assertRaisesRegex(ContractError, "12 bytes in `query`; expected 1 RGB pictures of 3 x 3"):
            read_canvases(row)


class WrittenMasks(unittest.TestCase):
    CLASSES = [(1, "leaf", (0, 255, 0)), (300, "stone", (9, 9, 9))]

    def test_a_mask_comes_back_with_its_areas(self):
        plane = np.array([[0, 300, 1], [1, 0, 1]], np.uint16)
        sure = np.array([[255, 51, 0], [255, 255, 255]], np.uint8)
        payload, metadata = write_mask(Identity("a", width=3, height=2), plane, self.CLASSES, sure, model="mine")
        row = payload[0]
        self.assertEqual(label_plane(row).tolist(), plane.tolist())
        self.assertEqual(confidence_plane(row).tolist(), sure.tolist())
        self.assertEqual(classes(row), {1: "leaf", 300: "stone"})
        self.assertEqual(row["class_pixels"].as_py(), [3, 1])
        self.assertEqual([round(c, 4) for c in row["class_confidence"].as_py()], [0.6667, 0.2])
        self.assertEqual(json.loads(row["provenance"].as_py())["model"], "mine")
        self.assertEqual(row["painted_size"].as_py(), 3)
        self.assertEqual(read(metadata), Identity("a", width=3, height=2))

    def test_a_large_mask_travels_as_png(self):
        plane = np.zeros((4100, 4100), np.uint8)
        plane[7, 9] = 1
        row = write_mask(Identity("a"), plane, self.CLASSES)[0][0]
        self.assertEqual((row["mask_encoding"].as_py(), row["confidence_encoding"].as_py()), ("png8", "png8"))
        self.assertLess(len(row["mask"].as_buffer()), 1 << 20)
        self.assertTrue((label_plane(row) == plane).all())
        wide = plane.astype(np.uint16) * 300
        row = write_mask(Identity("a"), wide, self.CLASSES)[0][0]
        self.assertEqual(row["mask_encoding"].as_py(), "png16")
        self.assertTrue((label_plane(row) == wide).all())

    def test_what_does_not_fit_is_named(self):
        labels = np.zeros((2, 3), np.uint8)
        with self.assertRaisesRegex(ContractError, "labels of 3 x 2 for a picture of 4 x 4"):
            write_mask(Identity("a", width=4, height=4), labels, self.CLASSES)
        with self.assertRaisesRegex(ContractError, "labels are int64"):
            write_mask(Identity("a"), labels.astype(int), self.CLASSES)
        with self.assertRaisesRegex(ContractError, "confidence is float64"):
            write_mask(Identity("a"), labels, self.CLASSES, labels.astype(float))
        with self.assertRaisesRegex(ContractError, "`modle` says nothing"):
            write_mask(Identity("a"), labels, self.CLASSES, modle="mine")


if __name__ == "__main__":
    unittest.main()
