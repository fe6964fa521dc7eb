"""Runs a plan of commands in turn (A B A B), and prints what they took as Markdown.

The plan is on standard input, tab-separated: values, work, tool, folder, standard input ("-" for none, "<FILE", or text),
command. "{n}" in text and command is the number of the run, so that each write is a change. Time is wall-clock from
before the process starts until it has ended; memory is the peak of the largest process, from a run of its own.
"""

import argparse
import collections
import os
import platform
import shlex
import statistics
import subprocess
import sys
import tempfile
import time

TOOLS = ["secretree", "sops", "rops", "fnox", "dotenvx", "true"]
# Seconds after which one command is not run again for one figure.
PATIENCE = 20.0

Command = collections.namedtuple("Command", "folder text words")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--runs", type=int, default=21)
    runs = arguments.parse_args().runs
    plan = collections.OrderedDict()
    for line in sys.stdin:
        values, work, tool, folder, text, words = line.rstrip("\n").split("\t")
        plan.setdefault((int(values), work), {})[tool] = Command(folder, text, words)
    figures = {}
    for (values, work), commands in plan.items():
        print(f"measuring {work} with {values} values", file=sys.stderr)
        figures[values, work] = measure(commands, runs)
    print_machine(runs)
    print_table(figures)
    print_goals(figures)


def measure(commands, runs):
    """The median seconds and the peak bytes of each command that works."""
    times = {tool: [] for tool in commands}
    peaks = {}
    for tool, command in commands.items():
        try:
            # Also warms the caches up; the slowest are measured by this run alone.
            first = timed(command, 0)
            peaks[tool] = peak(command)
        except RuntimeError as error:
            print(f"left out: {tool}: {error}", file=sys.stderr)
            del times[tool]
            continue
        if first > PATIENCE:
            times[tool].append(first)
    for number in range(2, runs + 2):
        for tool, taken in times.items():
            if sum(taken) < PATIENCE:
                taken.append(timed(commands[tool], number))
    return {tool: (statistics.median(taken), peaks[tool]) for tool, taken in times.items()}


def timed(command, number):
    """Seconds of one run."""
    with standard_input(command, number) as stdin:
        words = shlex.split(command.words.replace("{n}", str(number)))
        start = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=command.folder, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, close_fds=False
        )
        code = process.wait()
        taken = time.perf_counter() - start
    if code != 0:
        raise RuntimeError(f"`{' '.join(words[:3])} …` ended with {code}")
    return taken


def peak(command):
    """Peak resident bytes of one run, by a small parent: what a child had before `exec` counts for it too."""
    with standard_input(command, 1) as stdin, tempfile.NamedTemporaryFile("r") as report:
        words = shlex.split(command.words.replace("{n}", "1"))
        subprocess.run(
            memory_meter(report.name) + words,
            cwd=command.folder, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
        )
        return int(report.read().split()[-1]) * 1024


def memory_meter(report):
    """GNU time (floor 2 MB), else Perl (floor 5 MB), which Debian always has."""
    if os.access("/usr/bin/time", os.X_OK):
        return ["/usr/bin/time", "-f", "%M", "-o", report]
    number = {"x86_64": 98, "aarch64": 165}[platform.machine()]
    # Field 5 of the usage of ended children, behind two times of two words each.
    script = (
        f'my $file = shift; system(@ARGV); my $usage = "\\0" x 144; syscall({number}, -1, $usage);'
        "open my $out, '>', $file; print $out (unpack('q5', $usage))[4], qq(\\n)"
    )
    return ["perl", "-e", script, report]


def standard_input(command, number):
    """A file to read from: none, a named one, or one with the text in it."""
    if command.text == "-":
        return open(os.devnull, "rb")
    if command.text.startswith("<"):
        return open(command.text[1:], "rb")
    file = tempfile.TemporaryFile()
    file.write(command.text.replace("{n}", str(number)).encode())
    file.seek(0)
    return file


def print_machine(runs):
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{os.cpu_count()} cores, {platform.machine()}, load {load}; medians of up to {runs} runs in turn.")
    print("In brackets how many times our time it takes, and its peak memory.\n")


def print_table(figures):
    tools = [tool for tool in TOOLS if any(tool in figure for figure in figures.values())]
    print("| work | values | " + " | ".join(tools) + " |")
    print("|---|--:|" + "--:|" * len(tools))
    works = ["decrypt", "get", "set", "run"]
    for values, work in sorted(figures, key=lambda place: (works.index(place[1]), place[0])):
        figure = figures[values, work]
        cells = [cell(figure, tool) for tool in tools]
        print(f"| {work} | {values:,} | " + " | ".join(cells) + " |")


def cell(figure, tool):
    if tool not in figure:
        return "–"
    seconds, memory = figure[tool]
    parts = []
    if tool != "secretree" and "secretree" in figure:
        parts.append(f"{seconds / figure['secretree'][0]:.2f}×")
    parts.append(f"{memory / 1e6:.1f} MB")
    return f"{seconds * 1e3:.1f} ms ({', '.join(parts)})"


def print_goals(figures):
    """Whether each figure that a goal speaks of keeps it."""
    lines = []

    def goal(values, work, peer, limit, part, name):
        figure = figures.get((values, work), {})
        if "secretree" in figure and peer in figure:
            ratio = figure["secretree"][part] / figure[peer][part]
            lines.append((f"{work} of {values:,}: {name}", f"≤ {limit} × {peer}", f"{ratio:.2f}", ratio <= limit))

    for values in sorted({values for values, _ in figures}):
        goal(values, "decrypt", "sops", 0.25, 0, "time")
        goal(values, "decrypt", "sops", 0.5, 1, "memory")
        if values <= 1000:
            goal(values, "decrypt", "rops", 1.2, 0, "time")
    for work in ("get", "set"):
        goal(10000, work, "sops", 0.1, 0, "time")
    start = figures.get((20, "run"), {})
    if "secretree" in start and "true" in start:
        over = (start["secretree"][0] - start["true"][0]) * 1e3
        lines.append(("run of 20: time over `true`", "≤ 5 ms", f"{over:.1f} ms", over <= 5))
    if lines:
        print("\n| goal | limit | measured | held |\n|---|--:|--:|---|")
        for name, limit, measured, held in lines:
            print(f"| {name} | {limit} | {measured} | {'yes' if held else '**no**'} |")


main()
