"""The check of an APK's description notices what is missing."""

import struct
import zipfile
from pathlib import Path

import pytest

from tests.android.check_apk import check_badging, check_exported, check_native_code

WHOLE = """package: name='org.nowplaying.app' versionCode='1' versionName='0.1.0' platformBuildVersionName='13'
sdkVersion:'26'
targetSdkVersion:'36'
application-label:'Now Playing'
launchable-activity: name='org.nowplaying.app.MainActivity'  label='' icon=''
application-icon-160:'res/mipmap-anydpi-v26/ic_launcher.xml'
locales: '--_--' 'ar' 'de' 'es' 'hi'
"""


def test_a_whole_description_passes() -> None:
    assert check_badging(WHOLE, "0.1.0", "36") == "version 0.1.0, targetSdk 36, languages en, ar, de, es, hi"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("versionName='0.1.0'", "versionName=''"),
        ("versionName='0.1.0'", "versionName='0.2.0'"),
        ("versionCode='1'", ""),
        ("targetSdkVersion:'36'", "targetSdkVersion:'34'"),
        ("launchable-activity", "other-activity"),
        ("application-label:'Now Playing'", "application-label:''"),
        ("application-icon-160", "icon"),
        ("'hi'", ""),
    ],
)
def test_what_is_missing_is_noticed(old: str, new: str) -> None:
    assert old in WHOLE
    with pytest.raises(AssertionError, match="expected "):
        check_badging(WHOLE.replace(old, new), "0.1.0", "36")


def test_an_empty_version_is_not_expected_either() -> None:
    with pytest.raises(AssertionError):
        check_badging(WHOLE.replace("0.1.0", ""), "", "36")


TREE = """N: android=http://schemas.android.com/apk/res/android
  E: manifest (line=2)
    E: application (line=9)
      E: activity (line=11)
        A: android:name(0x01010003)="org.nowplaying.app.MainActivity" (Raw: "org.nowplaying.app.MainActivity")
        A: android:exported(0x01010010)=(type 0x12)0xffffffff
      E: activity (line=20)
        A: android:name(0x01010003)="org.nowplaying.app.SongActivity" (Raw: "org.nowplaying.app.SongActivity")
        A: android:exported(0x01010010)=(type 0x12)0x0
      E: activity (line=30)
        A: android:name(0x01010003)="org.nowplaying.app.CommandActivity" (Raw: "org.nowplaying.app.CommandActivity")
        A: android:exported(0x01010010)=(type 0x12)0xffffffff
      E: service (line=40)
        A: android:name(0x01010003)="org.nowplaying.app.AskTile" (Raw: "org.nowplaying.app.AskTile")
        A: android:permission(0x01010006)="android.permission.BIND_QUICK_SETTINGS_TILE" (Raw: "...")
        A: android:exported(0x01010010)=(type 0x12)0xffffffff
"""


def test_the_components_that_other_apps_reach_are_three() -> None:
    assert check_exported(TREE) == "AskTile, CommandActivity, MainActivity"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("(type 0x12)0x0", "(type 0x12)0xffffffff"),
        ("android.permission.BIND_QUICK_SETTINGS_TILE", "android.permission.INTERNET"),
        ("CommandActivity", "OtherActivity"),
    ],
)
def test_another_exported_component_is_noticed(old: str, new: str) -> None:
    with pytest.raises(AssertionError, match="exported components"):
        check_exported(TREE.replace(old, new))


def _library(alignment: int) -> bytes:
    """Return an ELF file for ARM64 with one LOAD segment and nothing else."""
    header = struct.pack("<4sBBB9xHHIQQQIHHHHHH", b"\x7fELF", 2, 1, 1, 3, 183, 1, 0, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    return header + struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 120, 120, alignment)


def _apk(path: Path, **libraries: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as files:
        files.writestr("classes.dex", b"dex")
        for name, content in libraries.items():
            files.writestr(f"lib/arm64-v8a/{name}.so", content)
    return path


def test_an_apk_without_native_code_passes(tmp_path: Path) -> None:
    assert check_native_code(_apk(tmp_path / "a.apk")).startswith("none")


def test_a_library_must_be_aligned_to_16_kb(tmp_path: Path) -> None:
    whole = _apk(tmp_path / "a.apk", one=_library(1 << 14), two=_library(1 << 16))
    assert check_native_code(whole) == "2 libraries, all aligned to 16 KB"
    with pytest.raises(AssertionError, match=r"aligned to 16 KB, found less in \['lib/arm64-v8a/two.so'\]"):
        check_native_code(_apk(tmp_path / "b.apk", one=_library(1 << 14), two=_library(1 << 12)))
