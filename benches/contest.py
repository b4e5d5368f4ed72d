"""Times the network against other people's, and what it costs to grow; writes docs/benchmarks.md.

Every contender is a process of its own that has loaded the weights and waits. It is asked over stdin for an answer,
`PROMPTS SIDE [kept] [joint] [queries=N]`, and says `SECONDS PEAK-KIB SAMPLE...`: how long the answer (or N of them with the
same prompts) took, its largest resident memory so far, and some of the painted values. The contenders are asked in turn,
round after round, so that whatever else the machine does falls on all of them alike; the median counts.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import torch
from safetensors.torch import save_file

from flow import overhead
from report import Report
from sync import section as synchronising
from train_step import training

HERE = Path(__file__).parent
ROOT = HERE.parent
LARGEST, MOST_PROMPTS = 896, 16
OURS = ["f32", "bf16", "int8"]
PEERS = ["transformers f32", "transformers sdpa f32", "openvino f32", "openvino int8"]
# Where the CPU multiplies bf16; elsewhere it is emulated, and nobody would choose it.
BF16_PEERS = ["transformers sdpa bf16", "openvino bf16"]


class Contender:
    def __init__(self, name, command, environment):
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ | environment
        )
        self.seconds, self.sample, self.peak = [], None, 0

    def ready(self):
        """Waits for the weights; False where this contender cannot run here."""
        if self.line() == "ready":
            return True
        self.process.wait()
        return False

    def line(self):
        """Some libraries print on their own: what is not meant for us is passed over."""
        for line in self.process.stdout:
            first = line.split(" ")[0].strip()
            if first == "ready" or "=" in line or first.replace(".", "").isdigit():
                return line.strip()
        return None

    def ask(self, *words):
        self.process.stdin.write(" ".join(str(word) for word in words) + "\n")
        self.process.stdin.flush()
        return self.line()

    def time(self, *words):
        seconds, peak, *sample = self.ask(*words).split()
        self.peak, self.sample = int(peak), [float(x) for x in sample]
        return float(seconds)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def inputs(path):
    random = torch.Generator().manual_seed(1)
    pictures = {
        name: torch.randn(count, 3, LARGEST, LARGEST, generator=random)
        for name, count in [("query", 1), ("prompts", MOST_PROMPTS), ("masks", MOST_PROMPTS)]
    }
    save_file(pictures, path)


def ours(dtype, checkpoint, pictures, threads):
    binary = ROOT / "target/debug/examples/contender"
    return Contender(f"seggpt {dtype}", [binary, checkpoint, pictures, dtype, str(threads)], {})


def peer(name, checkpoint, pictures, threads):
    command = [sys.executable, HERE / "peers.py", name, checkpoint, pictures]
    return Contender(name, command, {"OMP_NUM_THREADS": str(threads), "HF_HUB_OFFLINE": "1"})


def in_turn(contenders, rounds, *words):
    """Median seconds of each; the first round warms up and does not count."""
    seconds = {contender.name: [] for contender in contenders}
    for number in range(rounds + 1):
        for contender in contenders:
            took = contender.time(*words)
            if number > 0:
                seconds[contender.name].append(took)
    return {name: statistics.median(all) for name, all in seconds.items()}


def against_peers(report, arguments, large, pictures):
    every = [ours(dtype, large, pictures, arguments.threads) for dtype in OURS]
    every += [peer(name, large, pictures, arguments.threads) for name in arguments.peers]
    contenders = []
    for contender in every:
        if contender.ready():
            contenders.append(contender)
        else:
            report.absent(contender.name)
    one = in_turn(contenders, arguments.rounds, 1, 448)
    peaks = {contender.name: contender.peak for contender in contenders}
    reference = contenders[0].sample
    differences = {
        contender.name: [abs(a - b) for a, b in zip(contender.sample, reference, strict=True)]
        for contender in contenders
    }
    report.one_prompt(one, peaks, differences)
    mine = contenders[: len(OURS)]
    kept = in_turn(mine, arguments.rounds, 1, 448, "kept")
    eight = {contender.name: contender.time(8, 448) for contender in mine}
    slow = [contender for contender in contenders if contender.name == "transformers f32"]
    for contender in contenders[len(OURS) :]:
        if contender not in slow:
            contender.close()
    if not arguments.quick:
        for contender in slow:
            eight[contender.name] = contender.time(8, 448)
    report.many(one, kept, eight, {contender.name: contender.peak for contender in mine + slow})
    for contender in mine + slow:
        contender.close()


def costs(contender, *questions, warm_up="1 64"):
    """Seconds and largest memory of each question; ask for little before much, as memory only grows."""
    if not contender.ready():
        sys.exit(f"{contender.name} does not start")
    contender.ask(warm_up)
    asked = [(contender.time(*question), contender.peak) for question in questions]
    contender.close()
    return asked


def growth(report, arguments, large, small, pictures):
    """Every table by a process of its own, so that its memory is its own."""
    prompts, sides = [1, 2, 4, 8, 16], [224, 448, 672, 896]
    few, near = (prompts[:3], sides[:3]) if arguments.quick else (prompts, sides)

    def of(checkpoint):
        return ours("f32", checkpoint, pictures, arguments.threads)

    def by(sizes, asked):
        return dict(zip(sizes, asked, strict=True))

    # It takes pictures of one size alone; its eight prompts are timed above.
    theirs = {}
    if "transformers f32" in arguments.peers and not arguments.quick:
        transformers = peer("transformers f32", large, pictures, arguments.threads)
        theirs = by(prompts[:3], costs(transformers, *[(n, 448) for n in prompts[:3]], warm_up="1 448"))
    report.growth_by_prompts(
        by(few, costs(of(large), *[(n, 448, "kept") for n in few])),
        by(few, costs(of(large), *[(n, 448, "kept", "joint") for n in few])),
        theirs,
        by(prompts, costs(of(small), *[(n, 128, "kept") for n in prompts])),
        by(prompts, costs(of(small), *[(n, 128, "kept", "joint") for n in prompts])),
    )
    fewer, more = [1, 2, 4], [1, 4, 16, 64]
    report.growth_by_queries(
        by(fewer, costs(of(large), *[(1, 448, f"queries={n}") for n in fewer], warm_up="1 448")),
        by(more, costs(of(small), *[(1, 128, f"queries={n}") for n in more], warm_up="1 128")),
    )
    areas = [128, 224, 448]
    report.growth_by_side(
        by(near, costs(of(large), *[(1, side, "kept") for side in near])),
        by(areas, costs(of(small), *[(1, side, "kept") for side in areas])),
    )


def where_it_goes(report, arguments, large, pictures):
    network = ours("f32", large, pictures, arguments.threads)
    network.ready()
    network.time(1, 448)
    network.ask("stages")
    total = network.time(1, 448)
    stages = dict(stage.split("=") for stage in network.ask("stages").split(";"))
    network.close()
    report.stages(total, {name: float(seconds) for name, seconds in stages.items()})


def cpu():
    info = dict(
        (part.strip() for part in line.split(":", 1))
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if ":" in line
    )
    wanted = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16"]
    return info, [flag for flag in wanted if flag in info.get("flags", "").split()]


def usual_peers():
    _, flags = cpu()
    return PEERS + (BF16_PEERS if {"avx512_bf16", "amx_bf16"} & set(flags) else [])


def machine():
    info, flags = cpu()
    return f"{info['model name']}, {len(os.sched_getaffinity(0))} cores; {' '.join(flags)}; {platform.platform()}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True, help="where large and small.safetensors lie")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks.md")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", type=lambda text: [name for name in text.split(",") if name], default=usual_peers())
    parser.add_argument("--quick", action="store_true", help="no answer from 8 prompts by transformers, no largest sizes")
    arguments = parser.parse_args()
    pictures = arguments.folder / "inputs.safetensors"
    inputs(pictures)
    large, small = arguments.folder / "large.safetensors", arguments.folder / "small.safetensors"
    report = Report(
        machine(),
        {name: version(name) for name in ["torch", "transformers", "openvino", "nncf"]},
        " ".join(["benches/run.sh", *sys.argv[3:]]),
        arguments,
    )
    against_peers(report, arguments, large, pictures)
    where_it_goes(report, arguments, large, pictures)
    growth(report, arguments, large, small, pictures)
    report.flow(overhead())
    report.section(*synchronising())
    report.training(training(arguments.rounds))


if __name__ == "__main__":
    main()
