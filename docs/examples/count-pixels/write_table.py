"""A node: writes areas to the CSV file that $TABLE names.

input   areas  example/measure/v1/Areas
"""

import csv
import os
from pathlib import Path

from dora import Node
from seggpt_contract import Failure, Greeting, read

COLUMNS = ["item", "class_id", "class_name", "pixels", "share", "error"]


def earlier(table):
    """{item: its rows} of an earlier run: the source goes on where that stopped."""
    rows = {}
    if table.exists():
        with table.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["item"], []).append(row)
    return rows


def write(table, rows):
    table.parent.mkdir(parents=True, exist_ok=True)
    unfinished = table.with_suffix(".part")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for item in sorted(rows):
            writer.writerows(rows[item])
    unfinished.replace(table)


def main():
    table = Path(os.environ.get("TABLE", "areas.csv"))
    rows = earlier(table)
    for event in Node():
        if event["type"] != "INPUT":
            continue
        message = read(event["metadata"])
        # By item, not appended: an item may come twice.
        if isinstance(message, Failure):
            item = message.identity.item
            rows[item] = [{"item": item, "error": message.error}]
        elif not isinstance(message, Greeting):
            rows[message.item] = [{"item": message.item, **area} for area in event["value"].to_pylist()]
    write(table, rows)


if __name__ == "__main__":
    main()
