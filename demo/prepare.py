"""Makes OUT/pictures (to be segmented) and OUT/prompts (a prompt library: pictures, masks, prompts.yml) for `seggpt demo --with OUT`.

The photographs come out of the installed scikit-image wheel; each file in demo/shapes says which part of which photograph
is the prompt, how its mask is drawn, and which parts are the pictures to segment. Without scikit-image and Pillow: exit code 1.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import sys
from math import cos, pi, sin
from pathlib import Path

HERE = Path(__file__).resolve().parent


def photographs(wheel: Path, ids: dict[str, int], pictures: Path, prompts: Path) -> list[str]:
    """Cuts every set of demo/shapes out of the photographs in `wheel` and draws the masks of its prompt."""
    names = []
    for path in sorted((HERE / "shapes").glob("*.json")):
        if path.name == "classes.json":
            continue
        shapes = json.loads(path.read_text())
        for name, spec in shapes["queries"].items():
            picture(wheel, spec).save(pictures / f"{name}.png")
        prompt = picture(wheel, shapes["prompt"])
        prompt.save(prompts / f"{path.stem}.png")
        mask(prompt.size, shapes["shapes"], ids).save(prompts / f"{path.stem}_mask.png")
        names.append(path.stem)
    return names


def picture(wheel: Path, spec: dict):
    """A crop [x, y, width, height] of a photograph; `inlays` are crops of others, laid over it within a polygon."""
    from PIL import Image, ImageDraw

    x, y, width, height = spec["crop"]
    with Image.open(wheel / spec["image"]) as whole:
        part = whole.convert("RGB").crop((x, y, x + width, y + height))
    for inlay in spec.get("inlays", []):
        inside = Image.new("1", part.size)
        ImageDraw.Draw(inside).polygon([tuple(p) for p in inlay["polygon"]], fill=1)
        part.paste(picture(wheel, {**inlay, "crop": [*inlay["at"], *part.size]}), mask=inside)
    return part


def mask(size: tuple[int, int], shapes: list[dict], ids: dict[str, int]):
    """Class ids of the shapes, painted in order: later ones cover earlier ones, and what none covers is 0."""
    from PIL import Image, ImageDraw

    image = Image.new("L", size)
    draw = ImageDraw.Draw(image)
    for shape in shapes:
        value = ids[shape["class"]]
        if "polygon" in shape:
            draw.polygon([tuple(p) for p in shape["polygon"]], fill=value)
        elif "ellipse" in shape:
            draw.polygon(ellipse(*shape["ellipse"]), fill=value)
        else:
            stroke(draw, [tuple(p) for p in shape["stroke"]], shape["width"], value)
    return image


def ellipse(x: float, y: float, a: float, b: float, degrees: float = 0) -> list[tuple[float, float]]:
    """The outline of an ellipse with half axes a, b; the first is turned clockwise from the x axis by `degrees`."""
    c, s = cos(degrees * pi / 180), sin(degrees * pi / 180)
    turn = [(a * cos(t * pi / 36), b * sin(t * pi / 36)) for t in range(72)]
    return [(x + u * c - v * s, y + u * s + v * c) for u, v in turn]


def stroke(draw, points: list[tuple[float, float]], width: int, value: int) -> None:
    """A line through the points with round ends and joints."""
    draw.line(points, fill=value, width=width)
    r = (width - 1) / 2
    for x, y in points:
        draw.ellipse((x - r, y - r, x + r, y + r), fill=value)


def library(classes: list[dict], names: list[str]) -> str:
    """The text of prompts.yml."""
    lines = ["type: semantic", "classes:"]
    lines += [f"  - {{id: {c['id']}, name: {c['name']}, color: {c['color']}}}" for c in classes]
    lines += ["mask_mode: ids", "prompts:"]
    lines += [f"  - {{image: {n}.png, mask: {n}_mask.png, name: {n}}}" for n in names]
    return "\n".join(lines) + "\n"


def wheel_pictures() -> Path | None:
    """The folder of pictures in the installed scikit-image, found without importing it (its dependencies are not there)."""
    skimage, pillow = importlib.util.find_spec("skimage"), importlib.util.find_spec("PIL")
    return Path(skimage.origin).parent / "data" if skimage and pillow else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="the folder to fill; its pictures and prompts are made anew")
    out = parser.parse_args().out
    wheel = wheel_pictures()
    if wheel is None:
        sys.exit("scikit-image or Pillow is not installed (no network?): the demo runs on drawn pictures alone")
    pictures, prompts = out / "pictures", out / "prompts"
    for folder in (pictures, prompts):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    classes = json.loads((HERE / "shapes" / "classes.json").read_text())
    names = photographs(wheel, {c["name"]: c["id"] for c in classes}, pictures, prompts)
    (prompts / "prompts.yml").write_text(library(classes, names))
    print(f"{len(list(pictures.iterdir()))} photographs in {pictures}, {len(names)} prompts in {prompts}")


if __name__ == "__main__":
    main()
