"""Licences of all dependencies against an allow list, and no second version of the heavy ones."""

import collections
import json
import subprocess
import sys

ALLOWED = {
    "MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "CDLA-Permissive-2.0",
    "EPL-2.0", "IJG", "ISC", "MIT-0", "MPL-2.0", "OpenSSL", "Unicode-3.0", "Unlicense", "Zlib", "0BSD", "bzip2-1.0.6",
}
ONCE = ["arrow", "candle-core", "dora-node-api", "gemm", "image", "png", "rayon-core", "tokio", "zenoh"]

metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--format-version", "1", "--locked"]))
faults = []


def allowed(expression: str) -> bool:
    """An SPDX expression: any branch of OR, all terms of AND."""
    expression = expression.replace("/", " OR ").replace("(", " ").replace(")", " ")
    return any(all(term.strip() in ALLOWED for term in branch.split(" AND ")) for branch in expression.split(" OR "))


versions = collections.defaultdict(set)
for package in metadata["packages"]:
    versions[package["name"]].add(package["version"])
    licence = package.get("license")
    if not package.get("license_file") and not (licence and allowed(licence)):
        faults.append(f"{package['name']} {package['version']}: licence {licence!r} is not on the list")
for name in ONCE:
    if len(versions[name]) > 1:
        faults.append(f"{name}: versions {sorted(versions[name])} are built side by side")

print("\n".join(faults) or f"{len(metadata['packages'])} packages: licences allowed, heavy ones once")
sys.exit(bool(faults))
