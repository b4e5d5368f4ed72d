"""docs/benchmarks.md."""

import datetime
import math


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def growth_of(costs):
    """How the cost grows from the second last to the last: the power of the size."""
    (a, cost_a), (b, cost_b) = sorted(costs.items())[-2:]
    return math.log(cost_b / cost_a) / math.log(b / a)


class Report:
    def __init__(self, machine, versions, command, arguments):
        self.machine, self.command, self.arguments = machine, command, arguments
        self.versions = ", ".join(f"{name} {number}" for name, number in versions.items())
        self.missing, self.sections = [], []

    def absent(self, name):
        self.missing.append(name)

    def section(self, title, *paragraphs):
        self.sections.append("\n\n".join([f"## {title}", *paragraphs]))

    def one_prompt(self, seconds, peaks, errors):
        eager = seconds.get("transformers f32")
        rows = [
            (
                name,
                f"{took:.2f}",
                f"{eager / took:.2f}" if eager else "",
                f"{peaks[name] / 2**20:.2f}",
                f"{errors[name]:.1e}",
            )
            for name, took in seconds.items()
        ]
        head = ["", "seconds", "times transformers f32", "peak memory, GiB", "largest error against ours in f32"]
        absent = f"Could not run here: {', '.join(self.missing)}." if self.missing else ""
        self.section("One prompt, one picture", table(head, rows), *filter(None, [absent, self.verdict(seconds)]))

    def verdict(self, seconds):
        if "transformers f32" not in seconds:
            return ""
        ratio = seconds["transformers f32"] / seconds["seggpt f32"]
        met = "met" if ratio >= 2.7 else "missed"
        return f"The target of 2.7 times transformers in f32 is {met}: {ratio:.2f}."

    def many(self, one, kept, eight, peaks):
        eager = eight.get("transformers f32")
        rows = [
            (name, f"{one[name]:.2f}", f"{kept[name]:.2f}" if name in kept else "as without", f"{took:.2f}",
             f"{eager / took:.2f}" if eager else "", f"{peaks[name] / 2**20:.2f}")
            for name, took in eight.items()
        ]  # fmt: skip
        head = ["", "1 prompt, s", "the same prompt again, s", "8 prompts, s", "times transformers f32 at 8",
                "peak memory, GiB"]  # fmt: skip
        words = (
            "A prompt that stays the same from picture to picture (a video, a folder) is prepared once. With 8 prompts "
            "(feature ensemble) the query's half is computed once and not eight times."
        )
        if eager:
            ratio = eager / eight["seggpt f32"]
            words += f" The target of 4 times transformers in f32 is {'met' if ratio >= 4 else 'missed'}: {ratio:.2f}."
        self.section("Many prompts, and the same prompt over many pictures", table(head, rows), words)

    def growth(self, by_prompts, by_side, small):
        def each(costs, unit):
            return table([unit, *costs], [["seconds", *(f"{took:.2f}" for took in costs.values())]])

        first, *_, last = by_prompts
        more = (by_prompts[last] - by_prompts[first]) / (last - first)
        tokens = {side**2: took for side, took in by_side.items()}
        self.section(
            "How the cost grows",
            "ViT-L in f32, prompts kept, 448 x 448, by the number of prompts:",
            each(by_prompts, "prompts"),
            f"It is linear: {more:.2f} s for every further prompt, after {by_prompts[first] - more:.2f} s for the query "
            "and what all share. Attention of the query's half visits every prompt, so that nothing is quadratic in them.",
            "One prompt, by the side of the square picture:",
            each(by_side, "side"),
            "Linear layers cost by the number of patches, attention by its square: between the two largest sizes the "
            f"whole grows by the power {growth_of(tokens):.2f} of the area, where 1 is linear and 2 quadratic.",
            "The small network (patches of 4), by the side:",
            each(small, "side"),
            f"Its patches are finer, so attention has more of the say: power {growth_of({s**2: t for s, t in small.items()}):.2f} "
            "of the area.",
        )

    def stages(self, total, stages):
        inner = {
            name: spent
            for name, spent in stages.items()
            if name.startswith(("linear", "attention", "norms", "convolutions", "embeddings", "depthwise"))
        }
        rest = total - sum(inner.values())
        rows = sorted(((spent, name) for name, spent in inner.items()), reverse=True)
        rows = [(name, f"{spent:.3f}", f"{100 * spent / total:.1f} %") for spent, name in rows]
        rows.append(("everything else", f"{rest:.3f}", f"{100 * rest / total:.1f} %"))
        self.section(
            "Where the time goes", f"One prompt prepared and one picture answered, ViT-L in f32, {total:.2f} s:",
            table(["", "seconds", "share"], rows),
        )  # fmt: skip

    def flow(self, sizes):
        rows = [
            (size, f"{1e3 * whole:.0f}", f"{1e3 * network:.0f}", f"{1e3 * (whole - network):.0f}")
            for size, (whole, network) in sizes.items()
        ]
        self.section(
            "What the dataflow costs",
            "A tiny network, pictures as JPEG, one under way at a time (`--window 1`), from one finished picture to the "
            "next, through source, prompts, ensemble, network and sink as processes of their own. What is not the "
            "network is reading, resizing, messages, deciding classes at the source's size, and writing mask, overlay "
            "and confidence as PNG. With the default window of 4 the nodes work side by side, and the slowest counts.",
            table(["picture", "whole, ms", "network, ms", "all else, ms"], rows),
        )

    def write(self, path):
        head = "\n".join(
            [
                "# Benchmarks",
                "",
                "Made by `make bench`; the numbers are of one machine on one day, and no test depends on them.",
                "",
                f"* machine: {self.machine}",
                f"* threads: {self.arguments.threads}",
                f"* peers: {self.versions}",
                f"* command: `{self.command}`",
                f"* date: {datetime.date.today()}",
                "* weights: random, ViT-L (370 million parameters, 448 x 448); every contender computes the same network",
            ]
        )
        path.write_text("\n\n".join([head, *self.sections]) + "\n")
