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
    read_image,
    write_image,
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


if __name__ == "__main__":
    unittest.main()
