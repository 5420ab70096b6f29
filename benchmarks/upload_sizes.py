"""What it costs to upload few pictures at a time: pictures per second that the runner ingests.

    python -m benchmarks.upload_sizes --pictures 128 --write

The same number of drawn faces comes in uploads of 1, 8 and 64, to a database that holds some
already; one runner, in this process, with its models loaded, does the jobs.
"""

from __future__ import annotations

import io
import tempfile
import threading
import time
from pathlib import Path

import latentdb
from api.jobs.book import JobBook
from api.jobs.tray import Tray
from api.jobs.uploads import UploadedItem, UploadJob
from api.jobs.worker import Worker
from benchmarks._arguments import make_parser
from benchmarks._record import record, write_section
from latentdb.wire.items import image_address
from latentdb.zoo.faces import draw_face, write_folder

SPACES = ("faces-clip", "faces-ssl")
SIZES = (1, 8, 64)
_SEED = 5_000


def main() -> None:
    """Upload and do, by size."""
    parser = make_parser(__doc__)
    parser.add_argument("--pictures", type=int, default=128, help="of each size of upload")
    parser.add_argument("--stored", type=int, default=600, help="pictures there before")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/jobs.md")
    asked = parser.parse_args()
    rates: dict[int, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "served.ldb"
        db = latentdb.create(database, spaces=SPACES)
        write_folder(Path(folder) / "faces", asked.stored, seed=_SEED)
        db.ingest(Path(folder) / "faces")
        book = JobBook(database)
        runner = Worker(db, book, "benchmark", threading.Event())
        for turn, size in enumerate((SIZES[-1], *SIZES)):  # the first turn loads the models
            first = asked.stored + turn * asked.pictures
            for start in range(first, first + asked.pictures, size):
                _upload(book, range(start, start + size))
            started = time.perf_counter()
            runner.work(idle_seconds=0)
            rates[size] = asked.pictures / (time.perf_counter() - started)
    results = {
        "pictures": asked.pictures,
        "stored": asked.stored,
        "pictures_per_second": {str(size): round(rate, 2) for size, rate in rates.items()},
        "ratio_to_one": {str(size): round(rates[size] / rates[1], 2) for size in SIZES},
    }
    record("upload_sizes", results, seed=_SEED)
    if asked.write:
        lines = ["| pictures in an upload | pictures/s, over those of one at a time |"]
        lines += ["| ---: | ---: |"]
        lines += [f"| {size} | {rates[size] / rates[1]:.1f} |" for size in SIZES]
        write_section("jobs.md", "upload_sizes", "\n".join(lines))


def _upload(book: JobBook, numbers: range) -> None:
    """What `POST /v1/items` does with pictures."""
    tray = Tray(book.database, max_megapixels=1.0)
    items = []
    for number in numbers:
        file = io.BytesIO()
        draw_face(_SEED, number).image.save(file, "PNG")
        placed = tray.place(f"face {number}.png", file.getvalue())
        image = image_address(placed.id)
        items.append(UploadedItem(name=placed.name, id=placed.id, image=image, file=placed.file))
    asked = UploadJob(items=tuple(items)).model_dump(mode="json")
    book.create("ingest", asked, most=10_000, settle=tray.settle)


if __name__ == "__main__":
    main()
