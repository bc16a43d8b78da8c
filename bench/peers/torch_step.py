#!/usr/bin/python3
"""PyTorch's side of the speed comparison: one training iteration of a known recipe, or sampling.

    torch_step.py dcgan --size 64 --channels 3 --width 64 --batch 64 --threads 2 --iters 10
    torch_step.py mlp | wgan_gp | pix2pix | cyclegan   [--precision bf16] [--channels-last] [--compile]
    torch_step.py sample [--engine onnxruntime]        latency of one DCGAN-64 image, time of 64

The data is a random tensor already in memory, so that only the iteration is timed. Memory is the process's peak
less what it held before the networks were made. Prints one JSON line; what cannot run here says so in it.
"""

import argparse
import contextlib
import json
import os
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True
POOL = 4  # batches of data, used in turn


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("step", choices=["mlp", "dcgan", "wgan_gp", "pix2pix", "cyclegan", "sample"])
    parser.add_argument("--size", type=int, default=64, help="dcgan")
    parser.add_argument("--channels", type=int, default=3, help="dcgan")
    parser.add_argument("--width", type=int, default=64, help="dcgan")
    parser.add_argument("--batch", type=int, default=0, help="0: 64; pix2pix 4, cyclegan 1")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--iters", type=int, default=10)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="f32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--engine", choices=["torch", "onnxruntime"], default="torch", help="sample")
    args = parser.parse_args()
    if args.size < 16 or args.size & (args.size - 1):
        parser.error(f"--size {args.size}: must be a power of two from 16")
    args.batch = args.batch or {"pix2pix": 4, "cyclegan": 1}.get(args.step, 64)
    if min(args.channels, args.width, args.batch, args.threads, args.iters, args.warm_up) < 1:
        parser.error("channels, width, batch, threads, iters and warm-up must be at least 1")
    return args


ARGS = parse()
os.environ["OMP_NUM_THREADS"] = str(ARGS.threads)  # read by OpenMP and OpenBLAS when torch loads

import torch  # noqa: E402

import nets_torch as nets  # noqa: E402


def resident():
    with open("/proc/self/statm", encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report(**extra):
    head = {"peer": "torch", "version": torch.__version__, "step": ARGS.step, "size": ARGS.size, "batch": ARGS.batch,
            "threads": ARGS.threads, "precision": ARGS.precision, "layout": "nhwc" if ARGS.channels_last else "nchw",
            "compiled": ARGS.compile}
    print(json.dumps({**head, **extra}))


def median_ms(run, warm_up, iters):
    times = []
    for k in range(warm_up + iters):
        begin = time.perf_counter()
        run(k)
        if k >= warm_up:
            times.append(1e3 * (time.perf_counter() - begin))
    return {"ms_per_step": round(statistics.median(times), 3), "least_ms": round(min(times), 3),
            "most_ms": round(max(times), 3)}


def cast():
    return torch.autocast("cpu", dtype=torch.bfloat16) if ARGS.precision == "bf16" else contextlib.nullcontext()


def make_step():
    if ARGS.step == "dcgan":
        return nets.dcgan(ARGS.size, ARGS.channels, ARGS.width, ARGS.batch)
    return {"mlp": nets.mlp, "wgan_gp": nets.WganGp, "pix2pix": nets.Pix2Pix,
            "cyclegan": nets.CycleGan}[ARGS.step](ARGS.batch)


def train():
    idle = resident()
    layout = torch.channels_last if ARGS.channels_last else torch.contiguous_format
    step = make_step()
    for name, net in nets.networks(step).items():
        net.to(memory_format=layout)
        if ARGS.compile:
            setattr(step, name, torch.compile(net))
    data = [step.inputs().to(memory_format=layout) for _ in range(POOL)]

    def run(k):
        with cast():
            step.run(data[k % POOL])
    time_of = median_ms(run, ARGS.warm_up, ARGS.iters)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    report(**time_of, images_per_s=round(1e3 * ARGS.batch / time_of["ms_per_step"], 2), idle_bytes=idle,
           peak_bytes=peak)


def onnx_session(gen):
    import tempfile

    import onnxruntime as ort
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "gen.onnx")
        torch.onnx.export(gen, (torch.randn(1, nets.Z, 1, 1),), path, input_names=["z"], output_names=["x"],
                          dynamic_axes={"z": {0: "n"}, "x": {0: "n"}}, dynamo=False)
        options = ort.SessionOptions()
        options.intra_op_num_threads = ARGS.threads
        options.inter_op_num_threads = 1
        return ort.__version__, ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def sample():
    gen = nets.dcgan_generator(64, 64, 3).apply(nets.weights_init).eval()
    extra, version = {}, torch.__version__
    if ARGS.engine == "onnxruntime":
        version, session = onnx_session(gen)

        def draw(n):
            return session.run(None, {"z": torch.randn(n, nets.Z, 1, 1).numpy()})
    else:
        if ARGS.channels_last:
            gen.to(memory_format=torch.channels_last)
        gen = torch.compile(gen) if ARGS.compile else gen

        def draw(n):
            with torch.inference_mode(), cast():
                return gen(torch.randn(n, nets.Z, 1, 1)).float()
    one = median_ms(lambda _: draw(1), ARGS.warm_up * 5, ARGS.iters * 5)
    many = median_ms(lambda _: draw(64), ARGS.warm_up, ARGS.iters)
    report(engine=ARGS.engine, **{**extra, "version": version}, one=one, many=many,
           images_per_s=round(64e3 / many["ms_per_step"], 1))


def main():
    torch.manual_seed(0)
    torch.set_num_threads(ARGS.threads)
    try:
        sample() if ARGS.step == "sample" else train()
    except (RuntimeError, ImportError, TypeError) as error:
        if not ARGS.compile and ARGS.engine == "torch" and ARGS.precision == "f32":
            raise  # nothing optional was asked for
        report(engine=ARGS.engine, skipped=str(error).strip().split("\n")[0][:160])


if __name__ == "__main__":
    main()
