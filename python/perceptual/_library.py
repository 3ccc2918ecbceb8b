"""The C library: which one, its types, its errors. perceptual.h says what its functions do."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import threading
import time
from typing import Optional

Handle = ctypes.c_uint64
FLOAT_PLANES = 7


class Error(Exception):
    """The library refused; the text says what was wrong."""


class BadFile(Error, OSError):
    """A file of weights cannot be read, is damaged, or does not fit."""


class NoWeights(Error, OSError):
    """Published weights are missing and could not be fetched."""


class _BadArgument(Error, ValueError):
    pass


class _NotSupported(Error, NotImplementedError):
    pass


class _OutOfMemory(Error, MemoryError):
    pass


class _Forked(Error, RuntimeError):
    pass


class _Stopped(Error):
    pass


for _kind in (Error, BadFile, NoWeights):
    _kind.__module__ = "perceptual"
_ERRORS = {1: _BadArgument, 3: BadFile, 4: NoWeights, 5: _NotSupported, 6: _OutOfMemory, 7: _Forked, 9: _Stopped}


class Image(ctypes.Structure):
    _fields_ = [
        ("data", ctypes.c_void_p),
        ("width", ctypes.c_int32),
        ("height", ctypes.c_int32),
        ("format", ctypes.c_int32),
        ("minimum", ctypes.c_float),
        ("maximum", ctypes.c_float),
        ("overshoot", ctypes.c_float),
        ("stride", ctypes.c_int64),
        ("plane_stride", ctypes.c_int64),
    ]


class Options(ctypes.Structure):
    _fields_ = [
        ("net", ctypes.c_char_p),
        ("version", ctypes.c_char_p),
        ("weights", ctypes.c_char_p),
        ("trunk", ctypes.c_char_p),
        ("lin", ctypes.c_char_p),
        ("baseline", ctypes.c_int32),
        ("random", ctypes.c_int32),
        ("seed", ctypes.c_uint64),
        ("threads", ctypes.c_int32),
    ]


class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32)
                for name in ("layers", "minimum_side", "larger_is_closer", "has_map", "has_gradient", "threads")]


PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int64, ctypes.c_int64)
_images, _floats = ctypes.POINTER(Image), ctypes.POINTER(ctypes.c_float)
_doubles, _ints = ctypes.POINTER(ctypes.c_double), ctypes.POINTER(ctypes.c_int32)
_SIGNATURES = {
    "vectors": (ctypes.c_char_p, ctypes.c_size_t),
    "load": (ctypes.POINTER(Options), ctypes.POINTER(Handle)),
    "metric": (ctypes.c_char_p, ctypes.c_int32, ctypes.POINTER(Handle)),
    "metric_names": (ctypes.c_char_p, ctypes.c_size_t),
    "on_download": (PROGRESS, ctypes.c_void_p),
    "describe": (Handle, ctypes.POINTER(Info)),
    "free": (Handle,),
    "batch": (Handle, _images, _images, ctypes.c_int64, _doubles, _doubles, ctypes.c_int64),
    "map": (Handle, _images, _images, _floats, ctypes.c_int64, _doubles),
    "extract": (Handle, _images, ctypes.POINTER(Handle)),
    "features_size": (Handle, ctypes.c_int32, _ints, _ints, _ints),
    "features_copy": (Handle, ctypes.c_int32, _floats, ctypes.c_int64),
    "compare": (Handle, Handle, Handle, _doubles, _doubles, ctypes.c_int64),
    "gradient": (Handle, _images, _images, _floats, ctypes.c_int64, _doubles),
}
_lock = threading.Lock()
_loaded: Optional[ctypes.CDLL] = None


def _in_child() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it


os.register_at_fork(after_in_child=_in_child)


def call(function: str, *arguments: object) -> None:
    """Calls a function of the library, and raises what it refuses. The library is loaded by the first call."""
    library = _loaded or _load()
    code = getattr(library, "perceptual_" + function)(*arguments)
    if code:
        raise _ERRORS.get(code, Error)(library.perceptual_last_error().decode("utf-8", "replace"))


def load(function: str, *arguments: object) -> None:
    """Calls a function that may download weights: how far it is is shown, and Ctrl-C stops it."""
    if threading.current_thread() is not threading.main_thread():
        call(function, *arguments)
        return
    failed: list[BaseException] = []
    done = threading.Event()
    download = _Download()

    def run() -> None:
        _here.download = download
        try:
            call(function, *arguments)
        except BaseException as error:
            failed.append(error)
        finally:
            done.set()

    # A signal's handler in Python runs in the main thread only, and not while that is in the library.
    _loaded or _load()  # the runtime starts faster in the main thread
    threading.Thread(target=run, daemon=True).start()
    try:
        done.wait()
    except BaseException:
        download.is_stopped = True
        done.wait(1.5)
        raise
    finally:
        download.end()
    if failed:
        raise failed[0]


class _Download:
    """Shows a download on a terminal, or in a notebook, once it takes longer than two seconds."""

    def __init__(self) -> None:
        self.is_stopped = False
        self.start = time.monotonic()
        self.shown = 0.0

    def go_on(self, file: str, received: int, total: int) -> bool:
        now = time.monotonic()
        is_watched = "ipykernel" in sys.modules or sys.stderr is not None and sys.stderr.isatty()
        if is_watched and now - self.start > 2 and now - self.shown > 0.2:
            self.shown = now
            of = f" of {total / 1e6:.0f}" if total >= 0 else ""
            print(f"\r{file}: {received / 1e6:.0f}{of} MB", end="", file=sys.stderr, flush=True)
        return not self.is_stopped

    def end(self) -> None:
        if self.shown:
            print(file=sys.stderr)


_here = threading.local()  # the download of a thread, if it is watched


@PROGRESS
def _on_download(_: object, file: bytes, received: int, total: int) -> int:
    download: Optional[_Download] = getattr(_here, "download", None)
    return 0 if download is None or download.go_on(file.decode(), received, total) else 1


def _load() -> ctypes.CDLL:
    global _loaded
    with _lock:
        if _loaded is None:
            path = os.path.join(os.path.dirname(__file__), "lib", _level(), "libperceptual.so")
            library = ctypes.CDLL(path)
            library.perceptual_last_error.restype = ctypes.c_char_p
            for name, types in _SIGNATURES.items():
                getattr(library, "perceptual_" + name).argtypes = types
            library.perceptual_on_download(_on_download, None)
            _loaded = library
    return _loaded


class _Leaf(ctypes.Structure):
    _fields_ = [("cpuid", ctypes.c_uint32 * 4), ("active", ctypes.c_uint32 * 4)]


# What the psABI asks of a processor for each level: leaf of CPUID as glibc numbers them (1, 7, 0x80000001), register
# (EAX, EBX, ECX, EDX), bits.
_V3 = (
    (0, 2, 1 << 12 | 1 << 22 | 1 << 27 | 1 << 28 | 1 << 29),  # FMA MOVBE OSXSAVE AVX F16C
    (1, 1, 1 << 3 | 1 << 5 | 1 << 8),  # BMI1 AVX2 BMI2
    (2, 2, 1 << 5),  # LZCNT
)
_V4 = ((1, 1, 1 << 16 | 1 << 17 | 1 << 28 | 1 << 30 | 1 << 31),)  # AVX512 F DQ CD BW VL


def _level() -> str:
    """The folder of the library for this processor: as glibc finds it for C in glibc-hwcaps, which dlopen does not
    look at for a path. The variables that switch vectors off in .NET do so here too."""
    if platform.machine() != "x86_64":
        return platform.machine()
    off = {name for name in ("HWIntrinsic", "AVX2", "AVX512") if os.environ.get("DOTNET_Enable" + name) == "0"}
    try:
        leaf_of = ctypes.CDLL(None)["__x86_get_cpuid_feature_leaf"]
    except (OSError, AttributeError):
        return "x86-64-v2"
    leaf_of.restype = ctypes.POINTER(_Leaf)

    def has(bits: tuple[tuple[int, int, int], ...]) -> bool:
        return all(leaf_of(leaf).contents.active[register] & wanted == wanted for leaf, register, wanted in bits)

    if off & {"HWIntrinsic", "AVX2"} or not has(_V3):
        return "x86-64-v2"
    return "x86-64-v3" if "AVX512" in off or not has(_V4) else "x86-64-v4"
