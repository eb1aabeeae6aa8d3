"""The check of an APK's description notices what is missing."""

import re

import pytest

from tests.android.check_apk import check_badging

WHOLE = """package: name='org.nowplaying.app' versionCode='1' versionName='0.1.0' platformBuildVersionName='13'
sdkVersion:'26'
targetSdkVersion:'36'
application-label:'Now Playing demo'
launchable-activity: name='org.nowplaying.app.HistoryActivity'  label='' icon=''
"""


def test_a_whole_description_passes() -> None:
    assert check_badging(WHOLE, "0.1.0", "36") == "version 0.1.0, targetSdk 36"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("versionName='0.1.0'", "versionName=''"),
        ("versionName='0.1.0'", "versionName='0.2.0'"),
        ("versionCode='1'", ""),
        ("targetSdkVersion:'36'", "targetSdkVersion:'34'"),
        ("launchable-activity", "other-activity"),
        ("application-label:'Now Playing demo'", "application-label:''"),
    ],
)
def test_what_is_missing_is_noticed(old: str, new: str) -> None:
    assert old in WHOLE
    with pytest.raises(AssertionError, match=re.escape("expected '")):
        check_badging(WHOLE.replace(old, new), "0.1.0", "36")


def test_an_empty_version_is_not_expected_either() -> None:
    with pytest.raises(AssertionError):
        check_badging(WHOLE.replace("0.1.0", ""), "", "36")
