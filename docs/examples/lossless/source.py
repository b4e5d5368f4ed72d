"""A lossless source: sends the pictures of the folder PICTURES, and ends when each is acknowledged.

input   ack    seggpt/flow/v1/Ack
output  image  seggpt/flow/v1/Image
"""

import os
import time
from pathlib import Path

from dora import Node
from seggpt_contract import NOTHING, Greeting, Identity, read, read_ack, write_image

WINDOW = 4  # pictures under way at a time: shorter than the queues of the flow
PATIENCE = 60.0  # seconds before a picture is sent again
GREETING_PATIENCE = 1.0  # a greeting costs nothing, and is lost while a node still starts


def main():
    node = Node()
    waiting = sorted(path for path in Path(os.environ["PICTURES"]).iterdir() if path.suffix in (".png", ".jpg"))
    under_way = {}  # item: (path, when it was sent)
    greeted, greetings, last = False, 0, 0.0
    while waiting or under_way:
        now = time.monotonic()
        if not greeted:
            if now - last >= GREETING_PATIENCE:
                node.send_output("image", NOTHING, Greeting(greetings).metadata())
                greetings, last = greetings + 1, now
        else:
            late = [path for path, sent in under_way.values() if now - sent > PATIENCE]
            while waiting and len(under_way) < WINDOW:
                late.append(path := waiting.pop(0))
                under_way[path.name] = (path, now)
            for path in late:
                encoding = "png" if path.suffix == ".png" else "jpeg"
                payload, metadata = write_image(Identity(path.name, source=str(path)), path.read_bytes(), encoding)
                node.send_output("image", payload, metadata)
                under_way[path.name] = (path, now)
        event = node.next(timeout=0.2)
        if event is None or event["type"] == "STOP":
            break
        if event["type"] == "INPUT":
            if isinstance(read(event["metadata"]), Greeting):
                greeted = True  # all nodes are there
            else:
                under_way.pop(read_ack(event["metadata"])[0], None)  # an item may be acknowledged twice


if __name__ == "__main__":
    main()
