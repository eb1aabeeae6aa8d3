"""Check a signed APK: signature, version, manifest, permissions, byte code, libraries, assets, size."""

import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Final

_MAX_BYTES: Final = 15_000_000
_LANGUAGES: Final = {"ar", "de", "es", "hi"}
_PERMISSIONS: Final = {
    "android.permission.RECORD_AUDIO",
    "android.permission.FOREGROUND_SERVICE",
    "android.permission.FOREGROUND_SERVICE_MICROPHONE",
    "android.permission.POST_NOTIFICATIONS",
    "android.permission.WAKE_LOCK",
}
_EXPORTED: Final = {
    "MainActivity": None,
    "CommandActivity": None,
    "AskTile": "android.permission.BIND_QUICK_SETTINGS_TILE",
}
_STORED: Final = (".tflite", ".npy", ".ann", ".sqlite")
_MICROPHONE_SERVICE: Final = 0x80
_PAGE_16_KB: Final = 1 << 14


def main(arguments: list[str]) -> int:
    """Print what holds and what does not; return 1 where something does not."""
    if len(arguments) != 3:
        sys.stderr.write("usage: python -m tests.android.check_apk APK VERSION_NAME TARGET_SDK\n")
        return 2
    apk = Path(arguments[0])
    failures = 0

    def _badging(apk: Path) -> str:
        return check_badging(_run("aapt", "dump", "badging", str(apk)), arguments[1], arguments[2])

    for check in (_badging, _signature, _tampered_copy, _manifest, _byte_code, check_native_code, _assets, _size):
        try:
            result = check(apk)
        except (AssertionError, subprocess.CalledProcessError) as error:
            failures += 1
            result = f"FAILED: {error} {getattr(error, 'stderr', '') or ''}"
        name = check.__name__.removeprefix("_").removeprefix("check_").replace("_", " ")
        sys.stdout.write(f"{name}: {result}\n")
    return min(failures, 1)


def check_badging(badging: str, version_name: str, target_sdk: str) -> str:
    """Return what an APK says of itself.

    Raises
    ------
    AssertionError
        When a part is missing, empty, or another than expected.
    """
    expected = {
        r"package: name='([^']*)'": "org.nowplaying.app",
        r"versionCode='([^']*)'": "1",
        r"versionName='([^']*)'": version_name,
        r"sdkVersion:'([^']*)'": "26",
        r"targetSdkVersion:'([^']*)'": target_sdk,
        r"application-label:'([^']*)'": "Now Playing",
        r"launchable-activity: name='([^']*)'": "org.nowplaying.app.MainActivity",
    }
    for pattern, value in expected.items():
        found = re.search(rf"\b{pattern}", badging)
        text = found.group(1) if found else None
        _expect(text == value and value, f"expected {value!r} for {pattern}, found {text!r}")
    _expect("application-icon-" in badging, "expected an icon, found none")
    listed = re.search(r"^locales:(.*)$", badging, re.MULTILINE)
    languages = set(re.findall(r"'(\w+)'", listed.group(1) if listed else ""))
    _expect(languages >= _LANGUAGES, f"expected the languages {sorted(_LANGUAGES)}, found {sorted(languages)}")
    return f"version {version_name}, targetSdk {target_sdk}, languages en, {', '.join(sorted(_LANGUAGES))}"


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
    exported = check_exported(tree)
    return f"{len(permissions)} permissions, no INTERNET; service of type microphone; exported: {exported}"


def check_exported(tree: str) -> str:
    """Return the components that other apps reach: the launcher, the commands with a token, and the system's tile.

    Raises
    ------
    AssertionError
        When another component is exported, or the tile is open to others than the system.
    """
    parts = re.split(r"\n\s+E: (?:activity|service|receiver|provider) ", tree)[1:]
    found = {}
    for part in parts:
        name = re.search(r'android:name\S*="([^"]+)"', part)
        if name and re.search(r"exported\S*=\(type 0x12\)0xffffffff", part):
            permission = re.search(r'android:permission\S*="([^"]+)"', part)
            found[name.group(1).rsplit(".", 1)[-1]] = permission.group(1) if permission else None
    _expect(found == _EXPORTED, f"expected the exported components {_EXPORTED}, found {found}")
    return ", ".join(sorted(found))


def _byte_code(apk: Path) -> str:
    dump = _run("dexdump", "-d", str(apk))
    _expect("invoke-custom" not in dump, "the dex has invoke-custom, which fails when it runs")
    _expect("Failure to verify" not in dump, "dexdump cannot verify the dex")
    classes = len(re.findall(r"Class descriptor", dump))
    ours = len(re.findall(r"Class descriptor\s+: 'Lorg/nowplaying/", dump))
    for name in ("core/loop/Phone", "core/db/SongPacks", "app/ListenService", "app/MainActivity"):
        _expect(f"'Lorg/nowplaying/{name};'" in dump, f"the dex lacks {name}")
    return f"{classes} classes, {ours} of them ours, no invoke-custom"


def check_native_code(apk: Path) -> str:
    """Return that an APK has no native code, or how its libraries are aligned.

    Raises
    ------
    AssertionError
        When a library is aligned to less than the 16 KB pages of phones of today, on which it may not load.
    """
    with zipfile.ZipFile(apk) as files, tempfile.TemporaryDirectory() as scratch:
        names = [name for name in files.namelist() if name.startswith("lib/") or name.endswith(".so")]
        aligned = {name: _load_alignment(files.extract(name, scratch)) for name in names}
    wrong = sorted(name for name, least in aligned.items() if least < _PAGE_16_KB)
    _expect(not wrong, f"expected libraries aligned to 16 KB, found less in {wrong}")
    return f"{len(aligned)} libraries, all aligned to 16 KB" if aligned else "none, so pages of 16 KB need no care"


def _load_alignment(library: str) -> int:
    """Return the least alignment of a library's LOAD segments, as readelf has them."""
    found = re.findall(r"^\s+LOAD .*\s0x([0-9a-f]+)$", _run("readelf", "-lW", library), re.MULTILINE)
    _expect(found, f"readelf finds no LOAD segment in {library}")
    return min(int(one, 16) for one in found)


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
