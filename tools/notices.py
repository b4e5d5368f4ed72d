"""The licences of everything that is linked into `seggpt`, with their texts, for those who get the program."""

import collections
import json
import subprocess
from pathlib import Path

ROOT = "seggpt-cli"
TEXTS = ("license", "licence", "copying", "notice", "unlicense", "copyright")

host = next(
    line.removeprefix("host: ") for line in subprocess.check_output(["rustc", "-vV"], text=True).splitlines() if line.startswith("host: ")
)
command = ["cargo", "metadata", "--format-version", "1", "--locked", "--filter-platform", host]
metadata = json.loads(subprocess.check_output(command))
packages = {package["id"]: package for package in metadata["packages"]}
nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}

linked, todo = set(), [next(id for id, package in packages.items() if package["name"] == ROOT)]
while todo:
    id = todo.pop()
    if id in linked:
        continue
    linked.add(id)
    todo += [dep["pkg"] for dep in nodes[id]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]

foreign = sorted((packages[id] for id in linked if packages[id]["source"]), key=lambda package: (package["name"], package["version"]))
users = collections.defaultdict(list)
print(f"seggpt links {len(foreign)} packages of other authors:\n")
for package in foreign:
    title = f"{package['name']} {package['version']}"
    print(f"{title}: {package['license'] or 'see its text below'}")
    for path in sorted(Path(package["manifest_path"]).parent.iterdir()):
        if path.is_file() and path.name.lower().startswith(TEXTS):
            users[path.read_text(errors="replace").strip()].append(title)
for text, titles in users.items():
    print(f"\n{'=' * 80}\n{', '.join(dict.fromkeys(titles))}\n{'-' * 80}\n{text}")
