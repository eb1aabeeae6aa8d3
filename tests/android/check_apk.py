"""Check a signed APK: signature, manifest, permissions, byte code, libraries, assets, size."""

import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Final

_MAX_BYTES: Final = 15_000_000
_ABIS: Final = {"arm64-v8a", "x86_64"}
_PERMISSIONS: Final = {
    "android.permission.RECORD_AUDIO",
    "android.permission.FOREGROUND_SERVICE",
    "android.permission.FOREGROUND_SERVICE_MICROPHONE",
    "android.permission.POST_NOTIFICATIONS",
}
_STORED: Final = (".tflite", ".npy", ".ann", ".sqlite")
_MICROPHONE_SERVICE: Final = 0x80


def main(arguments: list[str]) -> int:
    """Print what holds and what does not; return 1 where something does not."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.android.check_apk APK\n")
        return 2
    apk = Path(arguments[0])
    failures = 0
    for check in (_signature, _tampered_copy, _manifest, _byte_code, _libraries, _assets, _size):
        try:
            result = check(apk)
        except (AssertionError, subprocess.CalledProcessError) as error:
            failures += 1
            result = f"FAILED: {error} {getattr(error, 'stderr', '') or ''}"
        sys.stdout.write(f"{check.__name__[1:].replace('_', ' ')}: {result}\n")
    return min(failures, 1)


def _run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _expect(holds: object, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _signature(apk: Path) -> str:
    text = _run("apksigner", "verify", "--verbose", str(apk))
    schemes = re.findall(r"using (v\d) scheme.*: true", text)
    _expect("v2" in schemes, f"expected a signature of scheme v2, found {text}")
    return f"verified, schemes {', '.join(schemes)}"


def _tampered_copy(apk: Path) -> str:
    """Return that the check of the signature can fail."""
    content = bytearray(apk.read_bytes())
    content[content.index(b"classes.dex") + 200] ^= 1
    copy = apk.with_name("tampered.apk")
    copy.write_bytes(content)
    found = subprocess.run(["apksigner", "verify", str(copy)], check=False, capture_output=True, text=True)
    copy.unlink()
    _expect(found.returncode != 0, "a changed APK was verified")
    return "refused"


def _manifest(apk: Path) -> str:
    badging = _run("aapt", "dump", "badging", str(apk))
    permissions = set(re.findall(r"uses-permission: name='([^']+)'", badging))
    _expect(
        permissions == _PERMISSIONS, f"expected the permissions {sorted(_PERMISSIONS)}, found {sorted(permissions)}"
    )
    tree = _run("aapt", "dump", "xmltree", str(apk), "AndroidManifest.xml")
    types = [int(value, 16) for value in re.findall(r"foregroundServiceType\S*=\(type 0x11\)(0x[0-9a-f]+)", tree)]
    _expect(types == [_MICROPHONE_SERVICE], f"expected one service of type microphone, found {types}")
    exported = len(re.findall(r"exported\S*=\(type 0x12\)0xffffffff", tree))
    _expect(exported == 1, f"expected one exported component, the launcher, found {exported}")
    sdk = re.findall(r"(sdkVersion|targetSdkVersion):'(\d+)'", badging)
    levels = ", ".join(f"{name} {level}" for name, level in sdk)
    return f"{len(permissions)} permissions, no INTERNET; service of type microphone; {levels}"


def _byte_code(apk: Path) -> str:
    dump = _run("dexdump", "-d", str(apk))
    _expect("invoke-custom" not in dump, "the dex has invoke-custom, which fails when it runs")
    _expect("Failure to verify" not in dump, "dexdump cannot verify the dex")
    classes = len(re.findall(r"Class descriptor", dump))
    ours = len(re.findall(r"Class descriptor\s+: 'Lorg/nowplaying/", dump))
    for name in ("core/loop/Phone", "core/db/SongPacks", "app/ListenService", "app/HistoryActivity"):
        _expect(f"'Lorg/nowplaying/{name};'" in dump, f"the dex lacks {name}")
    return f"{classes} classes, {ours} of them ours, no invoke-custom"


def _libraries(apk: Path) -> str:
    with zipfile.ZipFile(apk) as files:
        names = [name for name in files.namelist() if name.startswith("lib/")]
        aligned = {name.split("/")[1]: _load_alignment(files.read(name)) for name in names}
    _expect(set(aligned) == _ABIS, f"expected libraries for {sorted(_ABIS)}, found {names}")
    kilobytes = ", ".join(f"{abi} aligned to {least // 1024} KB" for abi, least in sorted(aligned.items()))
    note = "" if min(aligned.values()) >= 1 << 14 else "; phones with pages of 16 KB need a newer runtime"
    return kilobytes + note


def _load_alignment(elf: bytes) -> int:
    """Return the least alignment of a 64-bit ELF file's LOAD segments."""
    offset, size, count = struct.unpack_from("<Q", elf, 32)[0], *struct.unpack_from("<HH", elf, 54)
    headers = [elf[offset + i * size : offset + (i + 1) * size] for i in range(count)]
    return min(struct.unpack_from("<Q", one, 48)[0] for one in headers if struct.unpack_from("<I", one)[0] == 1)


def _assets(apk: Path) -> str:
    with zipfile.ZipFile(apk) as files:
        assets = [one for one in files.infolist() if one.filename.startswith("assets/")]
    packed = [one.filename for one in assets if one.filename.endswith(_STORED) and one.compress_type]
    _expect(not packed, f"expected models and packs stored, found them compressed: {packed}")
    names = {one.filename for one in assets}
    for name in ("detector/detector.tflite", "fingerprinter/frontend.tflite", "fingerprinter/encoder.tflite"):
        _expect(f"assets/models/{name}" in names, f"expected {name}, found {sorted(names)}")
    packs = sorted({name.split("/")[2] for name in names if name.startswith("assets/packs/")})
    _expect(packs, "expected a song pack")
    return f"{len(assets)} files, {sum(one.file_size for one in assets) / 1e6:.2f} MB, packs {', '.join(packs)}"


def _size(apk: Path) -> str:
    size = apk.stat().st_size
    _expect(size <= _MAX_BYTES, f"expected at most {_MAX_BYTES} bytes, found {size}")
    return f"{size / 1e6:.2f} MB of at most {_MAX_BYTES / 1e6:.0f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
