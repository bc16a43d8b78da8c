#!/usr/bin/python3
"""Table of bench/run.sh's JSON lines: medians over the rounds, ratios, shares of the floor.

    table.py LINES              the table, as Markdown
    table.py --best STEP LINES  fastest setting of each interpreter and precision, "python,options" a line
"""

import json
import statistics
import sys


def read(path):
    for line in open(path, encoding="utf-8"):
        if line.startswith("{"):
            yield json.loads(line)


def cost(run):
    return run["one"]["ms_per_step"] if "engine" in run and "one" in run else run.get("ms_per_step")


def best(step, path):
    fastest = {}
    for run in read(path):
        name, _, rest = run["name"].partition(" ")
        if name != step or run["peer"] != "torch" or "skipped" in run:
            continue
        key = rest.partition(",")[0], run["precision"], run.get("engine")
        if key not in fastest or cost(run) < cost(fastest[key]):
            fastest[key] = run
    for run in fastest.values():
        print(run["name"].partition(" ")[2])


def middle(runs, key):
    values = [run[key] for run in runs]
    return statistics.median(values), min(values), max(values)


def memory(runs):
    peaks = [run["peak_bytes"] - run.get("idle_bytes", run.get("base_bytes", 0)) for run in runs if "peak_bytes" in run]
    return f"{statistics.median(peaks) / 2**20:.0f}" if peaks else "-"


def ms_of(run):
    """One figure of a run to compare: a step's time, or the latency of one image."""
    if "one" in run:
        one = run["one"]
        return one.get("median_ms", one.get("ms_per_step"))
    return run["ms_per_step"]


def label(run):
    if run["peer"] == "libgan":
        return "libgan " + run["name"].split(" ")[1]
    product = "onnxruntime" if run.get("engine") == "onnxruntime" else "torch"
    extra = " compile" if run.get("compiled") else ""
    return f"{product} {run['version'].split('+')[0]} {run['precision']} {run['layout']}{extra}"


def compare(step, runs):
    sides = {}
    for run in runs:
        sides.setdefault(label(run), []).append(run)
    rounds = max(len(rows) for rows in sides.values())
    sides = {name: rows for name, rows in sides.items() if len(rows) > 1 or rounds == 1}  # the heats apart
    ours = {name.split(" ")[1]: statistics.median(map(ms_of, rows)) for name, rows in sides.items()
            if name.startswith("libgan")}
    print(f"\n**{step}**\n\n| side | ms (least to most, runs) | images/s | MiB beyond idle | libgan is |")
    print("|---|---|---|---|---|")
    for name, rows in sorted(sides.items(), key=lambda item: statistics.median(map(ms_of, item[1]))):
        values = [ms_of(row) for row in rows]
        mine = ours.get("bf16" if "bf16" in name else "f32")
        ratio = f"{statistics.median(values) / mine:.2f}x" if mine and not name.startswith("libgan") else ""
        print(f"| {name} | {statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f}, {len(values)}) |"
              f" {statistics.median(row['images_per_s'] for row in rows):.1f} | {memory(rows)} | {ratio} |")


def floors(runs):
    if runs:
        print("\n| floor | floor ms | measured ms | share |\n|---|---|---|---|")
    for run in runs:
        print(f"| {run['name']} | {run['floor_ms']:.1f} | {run['step']['median_ms']:.1f} | {100 * run['share']:.0f} % |")


def scaling(kind, runs):
    table = {}
    for run in runs:
        table.setdefault(int(run["name"].split(" ")[1]), []).append(run)
    print(f"\n| {kind} | ms (least to most, runs) | images/s | GFLOP | GFLOP/s | us per 1000 pixels |")
    print("|---|---|---|---|---|---|")
    for value, rows in sorted(table.items()):
        ms, low, high = middle(rows, "ms_per_step")
        first = rows[0]
        pixels = first["batch"] * first["height"] * first["width"] / 1000
        gflop = first["heavy_gflop_per_step"]
        print(f"| {value} | {ms:.1f} ({low:.1f} to {high:.1f}, {len(rows)}) | {1e3 * first['batch'] / ms:.1f} |"
              f" {gflop:.2f} | {1e3 * gflop / ms:.0f} | {1e3 * ms / pixels:.1f} |")


def main():
    if sys.argv[1] == "--best":
        best(sys.argv[2], sys.argv[3])
        return
    steps, rest = {}, {}
    skipped, loads, floor_runs = [], [], []
    for run in read(sys.argv[1]):
        loads.append(run["load"])
        name = run["name"].split(" ")[0]
        if "skipped" in run:
            skipped.append(f"{label(run)}, {name}: {run['skipped']}")
        elif "floor_ms" in run:
            floor_runs.append(run)
        elif name in ("batch", "size", "threads"):
            rest.setdefault(name, []).append(run)
        else:
            steps.setdefault(name, []).append(run)
    cpu = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                if line.startswith("model name")), "unknown")
    print(f"CPU {cpu}; load average {min(loads):.1f} to {max(loads):.1f}"
          + ("; **provisional**" if max(loads) > 2.5 else ""))
    for step, runs in steps.items():
        compare(step, runs)
    floors(floor_runs)
    for kind, runs in rest.items():
        scaling(kind, runs)
    for line in dict.fromkeys(skipped):
        print(f"\nskipped: {line}")


if __name__ == "__main__":
    main()
