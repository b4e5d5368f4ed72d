"""docs/benchmarks.md."""

import datetime
import math
import statistics

# What the pictures are normalised by: the mean of the three channels' standard deviations.
DEVIATION = 0.226
# How many times as fast as whom.
TARGETS = [
    (2.7, ("seggpt f32", "transformers f32")),
    (1.4, ("seggpt f32", "openvino f32")),
    (2.5, ("seggpt bf16", "transformers sdpa bf16")),
    (1.25, ("seggpt bf16", "openvino bf16")),
    (1.5, ("seggpt int8", "openvino int8")),
]
FLOW = ["resizing", "network", "deciding classes", "writing", "all else"]
FULL_HD = "1920 x 1080"
NO_BF16 = (
    "This CPU does not multiply bf16: ours keeps weights in bf16 and widens them to f32, and the peers' bf16 is not timed."
)


def table(head, rows):
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def growth_of(costs):
    """How the cost grows from the second last to the last: the power of the size."""
    (a, cost_a), (b, cost_b) = sorted(costs.items())[-2:]
    return math.log(cost_b / cost_a) / math.log(b / a)


def seconds(costs):
    return {size: took for size, (took, _) in costs.items()}


def power(costs):
    return f"{growth_of(seconds(costs)):.2f}"


def costs_table(unit, costs):
    spent = ["seconds", *(f"{took:.2f}" for took, _ in costs.values())]
    memory = ["peak memory, GiB", *(f"{peak / 2**20:.2f}" for _, peak in costs.values())]
    return table([unit, *costs], [spent, memory])


def spread(rates):
    return f"{min(rates):.0f} to {max(rates):.0f}"


def synchronising(rates, pictures, rounds, disk):
    """Title and paragraphs: pictures a second with results synchronised to the disk, and without."""
    rows = [
        (files, f"{max(kept):.0f}", f"{max(lost):.0f}", f"{max(kept) / max(lost):.2f}", spread(kept), spread(lost))
        for files, (kept, lost) in rates.items()
    ]
    return (
        "What synchronising costs",
        f"Pictures a second with every result on the disk before it is acknowledged, as always, and with a library in front "
        f"of the program whose `fsync` returns at once (`benches/sync.py`). {pictures} pictures of 256 x 256, the untrained "
        f"tiny network, the default window; {disk}. With and without in turn, the best of {rounds} rounds each: what else a machine "
        f"does makes a round slower, never faster. A network that takes longer than the files hides the whole of it.",
        table(["files a picture", "synchronised", "not", "ratio", "rounds, synchronised", "rounds, not"], rows),
    )


class Report:
    def __init__(self, machine, versions, command, arguments):
        self.machine, self.command, self.arguments = machine, command, arguments
        self.versions = ", ".join(f"{name} {number}" for name, number in versions.items())
        self.missing, self.sections, self.targets, self.limits = [], [], [], []
        self.bf16 = None

    def absent(self, name):
        self.missing.append(name)

    def section(self, title, *paragraphs):
        self.sections.append("\n\n".join([f"## {title}", *paragraphs]))
        self.write()

    def one_prompt(self, seconds, peaks, differences):
        eager = seconds.get("transformers f32")
        rows = [
            (
                name,
                f"{took:.2f}",
                f"{eager / took:.2f}" if eager else "",
                f"{peaks[name] / 2**20:.2f}",
                f"{max(differences[name]):.1e}",
                f"{255 * DEVIATION * statistics.mean(differences[name]):.2f}",
            )
            for name, took in seconds.items()
        ]
        head = ["", "seconds", "times transformers f32", "peak memory, GiB", "largest difference from ours in f32",
                "mean difference in painted grey values, of 255"]  # fmt: skip
        absent = f"Could not run here: {', '.join(self.missing)}." if self.missing else ""
        notes = [absent, "" if "openvino bf16" in seconds else NO_BF16]
        self.section("One prompt, one picture", table(head, rows), *filter(None, notes))
        self.bf16 = seconds.get("seggpt bf16")
        for target, (mine, theirs) in TARGETS:
            if mine in seconds and theirs in seconds:
                self.targets.append((f"{mine} against {theirs}", target, seconds[theirs] / seconds[mine]))

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
            self.targets.append(("seggpt f32 against transformers f32, 8 prompts", 4, eager / eight["seggpt f32"]))
        self.targets.append(("the same prompt again, f32", 1.1, one["seggpt f32"] / kept["seggpt f32"]))
        self.section("Many prompts, and the same prompt over many pictures", table(head, rows), words)

    def growth_by_prompts(self, large, large_joint, theirs, small, small_joint):
        beside = []
        if theirs:
            words = "transformers, which computes the query anew beside each prompt, grows by the power"
            beside = [f"{words} {power(theirs)}:", costs_table("prompts", theirs)]
        self.section(
            "How the cost grows with the prompts",
            "ViT-L in f32, 448 x 448, prompts kept; feature ensemble, then joint:",
            costs_table("prompts", large),
            costs_table("prompts", large_joint),
            *beside,
            "The small network, 128 x 128:",
            costs_table("prompts", small),
            costs_table("prompts", small_joint),
            f"Between the two largest numbers the time grows by the power {power(large)} of the number of prompts (joint "
            f"{power(large_joint)}; small {power(small)} and {power(small_joint)}), where 1 is linear and 2 quadratic: every "
            "prompt attends to itself and the query only, and the query's half is computed once. In the feature ensemble the "
            "query's attention is a softmax per prompt; in the joint one it is a single softmax over all. The spatial "
            "ensemble lays all examples on one canvas and costs what one prompt costs, whatever their number.",
        )

    def growth_by_queries(self, large, small):
        self.section(
            "How the cost grows with the pictures",
            "One prompt, prepared within the time and kept for all pictures; ViT-L at 448 x 448, then the small network at "
            "128 x 128:",
            costs_table("pictures", large),
            costs_table("pictures", small),
            f"Pictures are answered one after the other: the time is linear in them beside the prompt's share (power "
            f"{power(large)} and {power(small)}), and memory does not grow. `--batch N` works on several side by side.",
        )

    def growth_by_side(self, large, small):
        def by_area(costs):
            return power({side**2: cost for side, cost in costs.items()})

        self.section(
            "How the cost grows with the picture",
            "One prompt, kept, by the side of the square canvas; ViT-L (patches of 16), then the small network (patches of 4):",
            costs_table("side", large),
            costs_table("side", small),
            "Linear layers and convolutions cost by the number of patches, attention by its square. Between the two largest "
            f"sides the whole grows by the power {by_area(large)} of the area for ViT-L, whose wide linear layers dominate, and "
            f"{by_area(small)} for the small network, whose patches are many. The peak of memory is that of loading the "
            "weights and the benchmark's inputs; answering never rises above it.",
        )

    def stages(self, total, stages):
        inner = {
            name: spent
            for name, spent in stages.items()
            if name.startswith(("linear", "attention", "norms", "convolutions", "embeddings", "depthwise"))
        }
        rest = total - sum(inner.values())

        def share(kind):
            return 100 * sum(spent for name, spent in inner.items() if name.startswith(kind)) / total

        rows = sorted(((spent, name) for name, spent in inner.items()), reverse=True)
        rows = [(name, f"{spent:.3f}", f"{100 * spent / total:.1f} %") for spent, name in rows]
        rows.append(("everything else", f"{rest:.3f}", f"{100 * rest / total:.1f} %"))
        self.section(
            "Where the time goes", f"One prompt prepared and one picture answered, ViT-L in f32, {total:.2f} s:",
            table(["", "seconds", "share"], rows),
            f"The linear layers' matrix products take {share('linear'):.0f} % and attention {share('attention'):.0f} %: an aim in "
            "f32 that is missed is missed there.",
        )  # fmt: skip

    def flow(self, sizes):
        rows = [
            (size, prompts, *(f"{1e3 * took:.0f}" for took in [whole, *stages, whole - sum(stages), reading]))
            for (size, prompts), (whole, *stages, reading) in sizes.items()
        ]
        whole, *stages, _ = sizes[FULL_HD, 1]
        if self.bf16:
            share = 100 * (whole - stages[1]) / self.bf16
            self.limits.append(("the dataflow around ViT-L in bf16 at 1920 x 1080", "2 %", f"{share:.1f} %", share < 2))
        rest = 1e3 * (whole - sum(stages))
        self.limits.append(("messages and all else at 1920 x 1080", "3 ms", f"{rest:.0f} ms", rest < 3))
        self.section(
            "What the dataflow costs",
            "A tiny network, pictures as JPEG, masks as PNG, one under way at a time (`--window 1`); medians of forty pictures, "
            "from one mask to the next, through source, prompts, ensemble, network and sink as processes of their own. Classes "
            "are decided at the picture's size; writing is the mask's PNG. Resizing and reading are timed apart, on warm files; "
            "reading goes on beside the rest, and on two cores takes one of them from it. All else is five messages with a copy "
            "into shared memory each, waking five processes, the journal and the acknowledgement. With the default window of 4 "
            "the nodes work side by side, and the slowest counts.",
            table(
                ["picture", "prompts", "whole, ms", *(f"{stage}, ms" for stage in FLOW), "beside it reading, ms"], rows
            ),
        )

    def training(self, rates):
        rows = [
            (f"{side} x {side}", batch, f"{ours:.1f}", f"{theirs:.1f}", f"{ours / theirs:.2f}")
            for (side, batch), (ours, theirs) in rates.items()
        ]
        self.section(
            "A training step",
            "Forward, loss, gradients and AdamW of the small network in f32, samples a second:",
            table(["pictures", "batch", "seggpt-train", "PyTorch", "times as fast"], rows),
        )

    def against_targets(self):
        rows = [
            (what, f"{target:g}", f"{ratio:.2f}", "met" if ratio >= target else "missed")
            for what, target, ratio in self.targets
        ]
        parts = ["## Aims", "Times as fast:", table(["", "aim", "measured", ""], rows)]
        if self.limits:
            rows = [(*limit, "met" if is_met else "missed") for *limit, is_met in self.limits]
            parts += ["At most:", table(["", "aim", "measured", ""], rows)]
        return "\n\n".join(parts)

    def write(self):
        """After every section: a later one that fails takes nothing away."""
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
        self.arguments.out.write_text("\n\n".join([head, self.against_targets(), *self.sections]) + "\n")
