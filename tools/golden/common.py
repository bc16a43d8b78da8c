"""What every golden file is made with: safetensors, tensors in libgan's layouts, initial weights,
updates."""

import json
import os
import struct

import numpy as np
import torch
import torch.nn.functional as F

ITERATIONS = 10
DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "tests", "golden", "data")
TYPES = {"float64": "F64", "float32": "F32", "int64": "I64", "uint8": "U8"}
FEW = 48  # numbers kept of a tensor of a hashed file

# Relative noise put on the initial weights by --sensitivity; zero when files are made.
noise = 0.0


# -- safetensors ---------------------------------------------------------------------------------

def write_safetensors(path, tensors, metadata):
    """8 bytes header length (little-endian), JSON header, data; tensors in name order."""
    header, blobs, offset = {"__metadata__": metadata}, [], 0
    for name in sorted(tensors):
        array = np.asarray(tensors[name], order="C")
        blob = array.astype(array.dtype.newbyteorder("<")).tobytes()
        header[name] = {"dtype": TYPES[array.dtype.name], "shape": list(array.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), file.read()
    metadata, names = header.pop("__metadata__"), {code: name for name, code in TYPES.items()}
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        flat = np.frombuffer(data[begin:end], dtype=np.dtype(names[entry["dtype"]]).newbyteorder("<"))
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


# -- helpers -------------------------------------------------------------------------------------

class Golden:
    """What one file will hold."""

    def __init__(self, metadata):
        self.tensors, self.trace = {}, {}
        self.metadata = {key: str(value) for key, value in metadata.items()}
        self.iterations = int(self.metadata.get("iterations", ITERATIONS))

    def put(self, name, value):
        assert name not in self.tensors, name
        if torch.is_tensor(value):
            value = value.detach().numpy()
        self.tensors[name] = np.array(value)

    def put_images(self, name, x):
        """Images on the 256 levels, as bytes."""
        levels = torch.round((x.double() + 1) * 127.5)
        assert torch.equal((levels / 127.5 - 1).to(x), x)
        self.put(name, levels.to(torch.uint8))

    def put_some(self, name, value):
        """At most FEW numbers in even steps, and a projection that sees them all."""
        flat = value.detach().reshape(-1).numpy()
        self.put(name, flat[::-(-len(flat) // FEW)])
        self.put(f"{name}/all", np.array([flat @ uniform("projection", len(flat))]))

    def put_state(self, when, networks):
        for scope, network in networks.items():
            for name, value in network.state_dict().items():
                if not name.endswith("num_batches_tracked"):
                    self.put(f"{when}/{scope}.{name}", value)

    def note(self, **values):
        for name, value in values.items():
            self.trace.setdefault(name.replace("__", "."), []).append(float(value))

    def finish_some(self, networks):
        """finish for a hashed file: the weights' ends in part."""
        for scope, network in networks.items():
            for name, value in network.state_dict().items():
                if not name.endswith("num_batches_tracked"):
                    self.put_some(f"final/{scope}.{name}", value)
        return self.finish({})

    def finish(self, networks):
        self.put_state("final", networks)
        for name, values in self.trace.items():
            assert len(values) == self.iterations, name
            self.put(f"trace/{name}", np.array(values))
        return self


def normal(rng, *shape, std=1.0):
    return torch.from_numpy(np.asarray(rng.standard_normal(shape) * std))


def images(rng, n, h, w, c):
    """NHWC in [-1,1] on the 256 levels of real files; a random mean per channel and sample."""
    mean = rng.uniform(60, 190, size=(n, 1, 1, c))
    u = np.clip(np.rint(mean + 50 * rng.standard_normal((n, h, w, c))), 0, 255)
    return torch.from_numpy(u / 127.5 - 1)


def nchw(x):
    return x.permute(0, 3, 1, 2).contiguous()


def nhwc(x):
    return x.detach().permute(0, 2, 3, 1).contiguous()


def initialise(rng, network, gain):
    """Every parameter and statistic random, so that no reader can leave one at its default."""
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            value = rng.uniform(0.5, 1.5, tensor.shape)
        elif name.endswith("running_mean"):
            value = 0.1 * rng.standard_normal(tensor.shape)
        elif tensor.dim() > 1:
            fan_in = tensor[0].numel()
            value = gain / np.sqrt(fan_in) * rng.standard_normal(tensor.shape)
        elif name.endswith("weight"):
            value = 1 + 0.2 * rng.standard_normal(tensor.shape)
        else:
            value = 0.1 * rng.standard_normal(tensor.shape)
        if noise:
            value = value * (1 + noise * np.random.standard_normal(tensor.shape))
        tensor.copy_(torch.from_numpy(np.asarray(value)))


def uniform(name, count):
    """Numbers of [-1,1): a 32-bit hash of name (FNV-1a) and index."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = (np.arange(1, count + 1, dtype=np.uint64) * 0x9E3779B1 + seed) & 0xFFFFFFFF
    h ^= h >> 15
    h = (h * 0x2C1B3C6D) & 0xFFFFFFFF
    h ^= h >> 12
    h = (h * 0x297A2D39) & 0xFFFFFFFF
    h ^= h >> 15
    return h / 2.0**31 - 1


def hashed(name, *shape):
    return torch.from_numpy(uniform(name, int(np.prod(shape))).reshape(shape))


def fill(scope, network):
    """Weights and statistics from the hash of their names."""
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        u = hashed(f"{scope}.{name}", *tensor.shape)
        if tensor.dim() > 1:
            u = u * 2 / np.sqrt(tensor[0].numel())
        elif name.endswith(("running_var", ".weight")):
            u = 1 + 0.5 * u
        else:
            u = 0.2 * u
        if noise:
            u = u * (1 + noise * torch.from_numpy(np.random.standard_normal(tensor.shape)))
        tensor.copy_(u)


def grad_norm(network):
    return torch.sqrt(sum((p.grad ** 2).sum() for p in network.parameters()))


def bce(logits, label):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def minimise(network, loss, optimiser):
    """One update; the norm of the gradient it used."""
    optimiser.zero_grad()
    loss.backward()
    norm = grad_norm(network)
    optimiser.step()
    return norm


# -- comparing -----------------------------------------------------------------------------------

def largest_difference(a, b):
    """max |a-b| / (1+|b|) and where, over two dictionaries of tensors with the same names."""
    if set(a) != set(b):
        raise SystemExit(f"golden: tensors differ in name: {sorted(set(a) ^ set(b))[:5]}")
    worst, where = 0.0, "-"
    for name in a:
        if a[name].shape != b[name].shape:
            raise SystemExit(f"golden: {name}: shape {a[name].shape}, file has {b[name].shape}")
        if a[name].size == 0:
            continue
        diff = float(np.max(np.abs(a[name] - b[name]) / (1 + np.abs(b[name]))))
        if not diff <= worst:
            worst, where = diff, name
    return worst, where


def check(name, golden, path):
    """Another CPU may round differently. PyTorch 2 does so by 1.6e-10 in biases in front of norms and
    is told apart here: the files are those of Debian's 1.13."""
    stored, metadata = read_safetensors(path)
    made, wrote = dict(golden.metadata), dict(metadata)
    made.pop("torch"), wrote.pop("torch")
    worst, where = largest_difference(golden.tensors, stored)
    good = worst <= 1e-11 and made == wrote
    print(f"{name}: {'ok' if good else 'DIFFERS'}, largest difference {worst:.1e} at {where}"
          f"{'' if made == wrote else ', metadata differs'}")
    return good
