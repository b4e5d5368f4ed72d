"""A node: writes areas to the CSV file that $TABLE names.

input   areas  example/measure/v1/Areas
"""

import csv
import os
from pathlib import Path

from dora import Node

COLUMNS = ["item", "class_id", "class_name", "pixels", "share", "error"]


def read(table):
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
    rows = read(table)
    for event in Node():
        if event["type"] == "INPUT":
            item, error = event["metadata"]["item"], event["metadata"].get("error", "")
            areas = event["value"].to_pylist() or [{}]  # a failed item has no areas
            # By item, not appended: an item may come twice.
            rows[item] = [{"item": item, "error": error, **area} for area in areas]
    write(table, rows)


if __name__ == "__main__":
    main()
