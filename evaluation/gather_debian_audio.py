"""Gather more music, noise and speech for training from Debian packages of free games and telephone systems.

python -m evaluation.gather_debian_audio FOLDER

Downloads with apt-get, unpacks without installing, and links each recording once into FOLDER/music, FOLDER/noise or
FOLDER/speech, which `nowplaying train ... --extra-data FOLDER` reads. The licences of each package stay beside its
recordings, in FOLDER/packages. Recordings that are also in another corpus must be taken out: see docs/data.md.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

import soundfile

# fmt: off
GAMES = (
    "0ad-data", "ardentryst", "asc-music", "boswars-data", "btanks-data", "caveexpress-data",
    "colobot-common-sounds", "cube2-data", "drascula-music", "endless-sky-data", "enigma-data",
    "extremetuxracer-data", "fillets-ng-data", "flightgear-data-base", "foobillardplus-data",
    "freeciv-data", "freedroidrpg-data", "freeorion-data", "fretsonfire-songs-muldjord",
    "fretsonfire-songs-sectoid", "frozen-bubble-data", "gigalomania-data", "gunroar-data", "hedgewars-data",
    "hyperrogue-music", "klettres-data", "kraptor-data", "ktuberling-data", "lincity-ng-data", "lmms-common",
    "lugaru-data", "marsshooter-data", "megaglest-data", "minetest-data", "mu-cade-data", "naev-data",
    "noiz2sa-data", "openarena-data", "parsec47-data", "plee-the-bear-data", "pokerth-data", "pysiogame",
    "ri-li-data", "rrootage-data", "scorched3d-data", "searchandrescue-data", "singularity-music",
    "supertuxkart-data", "titanion-data", "torcs-data", "torus-trooper-data", "trackballs-data",
    "trigger-rally-data", "tumiki-fighters-data", "tuxmath-data", "ufoai-music", "ufoai-sound", "unknown-horizons",
    "warmux-data", "warzone2100-data", "warzone2100-music", "wesnoth-1.16-data", "wesnoth-1.16-music",
    "widelands-data", "wordwarvi-sound", "xmoto-data", "zaz-data",
)
# fmt: on
TELEPHONES = (
    "asterisk-moh-opsound-wav",
    *(f"asterisk-core-sounds-{code}-wav" for code in ("en", "es", "fr", "it", "ru")),
)
SUFFIXES = {".wav", ".ogg", ".oga", ".opus", ".mp3", ".flac"}
ARCHIVES = {".pk3", ".wz", ".zip"}
MUSIC = re.compile(r"music|wordwarvi|soundtrack|moh-opsound|/themes?/", re.IGNORECASE)
SPEECH = re.compile(
    r"voice|klettres|pysiogame|speech|dialog|core-sounds|ktuberling|fillets-ng/sound|tcas|mk-viii|comments",
    re.IGNORECASE,
)
# Short pieces of music among the sounds of a game, and singing: of neither class.
NEITHER = re.compile(
    r"victory|defeat|jingle|fanfare|horn|trumpet|harp|flute|lute|guitar|drum|gong|bell|chime|chant|choir|sing|sung|"
    r"melod|tune|song|intro|credits|title|win\b|lose\b|gameover|level|cutscene|radio|piano|organ|xylo|theme|remix|"
    r"valkyries|rabbit_hole|restaurant|complete_|under_attack|attacked|message_|tv_news|race_finish|new_settlement|"
    r"_atm\b|lobby|dron(e|ing)|occupied|minaret|tavern|(^|/)unused|alarmatt",
    re.IGNORECASE,
)
# Small games keep their soundtrack among the sounds: what is long is music, but for these.
PLACES = re.compile(
    r"rain|wind|forest|water|ocean|wave|lava|fire|engine|motor|locomot|amb|night|day|bird|crowd|cheer|city|factory|machine|"
    r"pump|farm|trade|port|village|mine|storm|sea|river|jungle|tropical|desert|temperate|cave|swamp",
    re.IGNORECASE,
)
LONGEST_SOUND_S = 20.0
LEAST_MUSIC_S, LEAST_NOISE_S, LEAST_SPEECH_S = 20.0, 0.15, 0.8


def main(folder: Path) -> int:
    """Download, unpack and sort; return the exit code."""
    packages = folder / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    for name in (*GAMES, *TELEPHONES):
        if not (packages / name).is_dir() and not unpack(name, packages):
            sys.stderr.write(f"{name}: not to be had on this release of Debian; left out\n")
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for path in sorted(packages.rglob("*")):
        if path.suffix.lower() not in SUFFIXES or not path.is_file() or path.is_symlink():
            continue
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        group = group_of(path, packages)
        if group is None or digest in seen:
            continue
        seen.add(digest)
        package = path.relative_to(packages).parts[0]
        link = folder / group / package / f"{path.stem}-{digest[:8]}{path.suffix.lower()}"
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            os.link(path, link)
        counts[group] += 1
    sys.stdout.write(f"{folder}: " + ", ".join(f"{n} of {group}" for group, n in sorted(counts.items())) + "\n")
    return 0 if counts else 1


def unpack(name: str, packages: Path) -> bool:
    """Fetch a package and keep its recordings and its licences; False where it cannot be had."""
    fetched = subprocess.run(["apt-get", "download", "-qq", name], cwd=packages, check=False)
    archives = list(packages.glob(f"{name}_*.deb"))
    if fetched.returncode or not archives:
        return False
    scratch = packages / f".{name}"
    shutil.rmtree(scratch, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--extract", str(archives[0]), str(scratch)], check=True)
    archives[0].unlink()
    for path in list(scratch.rglob("*")):
        if path.suffix.lower() in ARCHIVES and zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                wanted = [item for item in archive.namelist() if Path(item).suffix.lower() in SUFFIXES]
                archive.extractall(path.with_suffix(".unpacked"), wanted)
    for path in list(scratch.rglob("*")):
        is_kept = path.suffix.lower() in SUFFIXES or path.name == "copyright"
        if path.is_symlink() or (path.is_file() and not is_kept):
            path.unlink()
    scratch.rename(packages / name)
    return True


def group_of(path: Path, packages: Path) -> str | None:
    """Tell music, noise and speech apart by where a package keeps a recording and how long it is; None for neither."""
    try:
        duration_s = soundfile.info(path).duration
    except soundfile.LibsndfileError:
        return None
    place = path.relative_to(packages).as_posix()
    if MUSIC.search(place):
        return "music" if duration_s >= LEAST_MUSIC_S else None
    if SPEECH.search(place):
        return "speech" if duration_s >= LEAST_SPEECH_S else None
    if duration_s > LONGEST_SOUND_S and not PLACES.search(path.stem):
        return "music"
    if NEITHER.search(path.stem) or duration_s < LEAST_NOISE_S:
        return None
    return "noise"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
