"""Makes the wheel from a published C library, with nothing but the standard library:

    dotnet publish src/Perceptual.Native -c Release -r linux-x64 -o artifacts/native
    python3 python/build_wheel.py artifacts/native artifacts
"""

import base64
import hashlib
import pathlib
import re
import sys
import zipfile

HERE = pathlib.Path(__file__).parent
MACHINE = "x86_64"
SUMMARY = "How far apart two images look: LPIPS and the metrics it is compared with, with no PyTorch and no GPU"
WHEN = (2026, 1, 1, 0, 0, 0)  # the same bytes whenever it is made


def build(native: pathlib.Path, folder: pathlib.Path) -> pathlib.Path:
    version = re.search(r"^Version: (\S+)$", (native / "lib/pkgconfig/perceptual.pc").read_text(), re.M)[1]
    libraries = {"x86-64-v2": native / "lib/libperceptual.so"}
    for path in sorted(native.glob("lib/glibc-hwcaps/*/libperceptual.so")):
        libraries[path.parent.name] = path
    tag = f"py3-none-{platform_of(libraries.values())}"
    about = f"perceptual-{version}.dist-info"
    files = {}
    for path in sorted((HERE / "perceptual").rglob("*")):
        if path.suffix in (".py", ".typed"):
            files[path.relative_to(HERE).as_posix()] = path.read_bytes().replace(b"@VERSION@", version.encode())
    for level, path in libraries.items():
        files[f"perceptual/lib/{level}/libperceptual.so"] = path.read_bytes()
    files[f"{about}/METADATA"] = metadata(version).encode()
    files[f"{about}/WHEEL"] = (f"Wheel-Version: 1.0\nGenerator: build_wheel.py\nRoot-Is-Purelib: false\n"
                               f"Tag: {tag}\n").encode()
    for name in ("LICENSE", "NOTICE.md"):
        files[f"{about}/licenses/{name}"] = (HERE.parent / name).read_bytes()
    record = f"{about}/RECORD"
    files[record] = "".join([*(f"{name},{digest(content)},{len(content)}\n" for name, content in files.items()),
                             f"{record},,\n"]).encode()
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"perceptual-{version}-{tag}.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, WHEN)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return wheel


def platform_of(libraries) -> str:
    """The oldest glibc that has all that the libraries need."""
    needed = {int(minor) for path in libraries for minor in re.findall(rb"\0GLIBC_2\.(\d+)", path.read_bytes())}
    return f"manylinux_2_{max(needed)}_{MACHINE}"


def metadata(version: str) -> str:
    return f"""Metadata-Version: 2.1
Name: perceptual
Version: {version}
Summary: {SUMMARY}
License: MIT
Project-URL: Source, https://github.com/perceptual-net/perceptual
Requires-Python: >=3.9
Requires-Dist: numpy
Provides-Extra: files
Requires-Dist: Pillow; extra == "files"
Description-Content-Type: text/markdown

{(HERE / "README.md").read_text()}"""


def digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(build(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])))
