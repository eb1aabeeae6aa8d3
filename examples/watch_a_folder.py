"""Watch a folder and name the song in each recording that arrives; the new name goes into a CSV file.

    python examples/watch_a_folder.py music.npdb incoming/ songs.csv

Ctrl-C ends it. With --once it names what is there and ends.
"""

import argparse
import csv
import time
from pathlib import Path

import nowplaying


def main() -> None:
    """Name recordings until Ctrl-C."""
    parser = argparse.ArgumentParser(description="Name the song in each recording that arrives in a folder.")
    parser.add_argument("database", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("table", type=Path)
    parser.add_argument("--once", action="store_true", help="name what is there and end")
    options = parser.parse_args()
    recognizer = nowplaying.Recognizer.open(options.database)
    sizes: dict[Path, int] = {}
    done: set[Path] = set()
    while True:
        for path in sorted(options.folder.iterdir()):
            try:
                size = path.stat().st_size
            except FileNotFoundError:  # renamed or removed meanwhile, as downloads are
                continue
            # A file that still grows is looked at again the next time.
            ready = options.once or sizes.get(path) == size
            sizes[path] = size
            if path in done or not ready:
                continue
            done.add(path)
            try:
                match = recognizer.recognize(path).match
            except nowplaying.AudioFormatError as error:
                print(error)
                continue
            print(f"{path.name}: {match or 'unknown'}")
            with options.table.open("a", newline="", encoding="utf-8") as handle:
                names = (match.title, match.artist, f"{match.offset_s:.1f}") if match else ("", "", "")
                csv.writer(handle).writerow([path.name, *names])
        if options.once:
            return
        time.sleep(1)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
