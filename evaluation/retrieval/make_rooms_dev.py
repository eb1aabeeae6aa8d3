"""Draw the hundred simulated rooms of the development queries; run once, the result is committed.

python -m evaluation.retrieval.make_rooms_dev
"""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np

from evaluation.retrieval import rooms
from nowplaying_core.artifacts import write_json

SEED = 1958

if __name__ == "__main__":
    drawn = rooms.draw_dev_rooms(np.random.default_rng(SEED))
    path = Path(rooms.__file__).with_name("rooms_dev.json")
    write_json(
        path,
        {
            "seed": SEED,
            "method": "image source to order 40, decaying noise after; Schroeder T60 (-5 to -35 dB)",
            "rooms": [asdict(room) for room in drawn],
        },
    )
    print(json.dumps({"rooms": len(drawn), "file": path.name}))
