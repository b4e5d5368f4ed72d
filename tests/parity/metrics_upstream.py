"""Finds the field's own evaluation code, for the other eval_*.py scripts of this folder.

None of it is on PyPI, so clone it (the commits are the ones the fixtures were made with):

    git clone https://github.com/davisvideochallenge/davis2017-evaluation   # 30b698a6
    git clone https://github.com/cocodataset/panopticapi                    # 1ad5afa4
    git clone https://github.com/juhongm999/hsnet                           # 5ccb58d6
    git clone https://github.com/open-mmlab/mmsegmentation                  # 01c96235

into one folder and give that folder to the scripts. HSNet and mmsegmentation need PyTorch for about ten array functions;
where it is not installed, NumPy stands in for them (float32 as there). Everything else that they import at their
top (loggers, tables, registries) is not called and may be missing.
"""

import importlib
import sys
import types
from pathlib import Path

import numpy as np


class Tensor(np.ndarray):
    """What the upstream code calls on a torch.Tensor, on an array."""

    def cuda(self): return self
    def cpu(self): return self
    def float(self): return self.astype(np.float32)
    def numpy(self): return np.asarray(self)
    def t(self): return self.T
    def size(self, dim): return self.shape[dim]
    def index_select(self, dim, index): return self.take(np.asarray(index), axis=dim).view(Tensor)
    def sum(self, dim=None, **other): return np.array(np.asarray(self).sum(axis=dim, **other)).view(Tensor)
    def __array_wrap__(self, array, context=None, return_scalar=False): return np.asarray(array).view(Tensor)

    def index_add_(self, dim, index, source):
        assert dim == 1
        for column, at in enumerate(np.atleast_1d(index)):
            self[:, at] += source[:, column]


def torch():
    try:
        return importlib.import_module("torch")
    except ImportError:
        pass
    stand_in = types.ModuleType("torch")
    stand_in.Tensor = Tensor
    stand_in.tensor = lambda data, device=None: np.array(data).view(Tensor)
    stand_in.zeros = lambda shape: np.zeros(shape, np.float32).view(Tensor)
    stand_in.ones_like = lambda other: np.ones_like(other)
    stand_in.stack = lambda tensors: np.stack(tensors).view(Tensor)
    stand_in.max = lambda tensor, dim: (tensor.max(axis=dim), tensor.argmax(axis=dim))
    stand_in.logical_and = lambda a, b: np.logical_and(a, b).view(Tensor)
    stand_in.histc = lambda tensor, bins, min, max: np.histogram(
        np.asarray(tensor), bins=bins, range=(min, max))[0].astype(np.float32).view(Tensor)
    sys.modules["torch"] = stand_in
    return stand_in


class Anything(types.ModuleType):
    """A module whose names exist, for imports at the top of files of which other parts are used."""

    __path__ = []

    class METRICS:
        register_module = staticmethod(lambda: lambda class_: class_)

    def __getattr__(self, name):
        return object


def load(root, project, module, unused=()):
    """Imports `module` of the clone `root/project`, the modules `unused` by it replaced."""
    root = Path(root)
    if not (root / project).is_dir():
        sys.exit(f"{root / project} is missing.\n{__doc__}")
    torch()
    replaced = {name: sys.modules.get(name) for name in unused}
    sys.modules.update({name: Anything(name) for name in unused})
    sys.path.insert(0, str(root / project))
    try:
        return importlib.import_module(module)
    finally:
        sys.path.remove(str(root / project))
        for name, before in replaced.items():
            sys.modules.pop(name)
            if before is not None:
                sys.modules[name] = before
