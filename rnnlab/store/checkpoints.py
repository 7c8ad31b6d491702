"""The checkpoints in a folder: which runs they are of, and whether anybody may still need them."""

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rnnlab.errors import CheckpointError, ConfigError, StoreError
from rnnlab.store.record import RunRecord
from rnnlab.training.checkpoint_file import unpack
from rnnlab.variant_key import KEY_LENGTH, variant_key

# KEY.npz, KEY.previous.npz, and what a kill in the middle of a save leaves: .KEY.npz.1234-5678.tmp. Other files in
# the folder are left alone.
_NAME = re.compile(
    rf"(?P<key>[0-9a-f]{{{KEY_LENGTH}}})(\.previous)?\.npz|\.(?P<half>[0-9a-f]{{{KEY_LENGTH}}})\.npz\..+\.tmp"
)


@dataclass(frozen=True)
class KeptCheckpoint:
    """The checkpoint of a variant.

    files:     all that there is of it; together they have `n_bytes`
    changed:   when it was last written, in UTC
    run_id, n_updates, n_epochs: of the run that wrote it, and how far that was; None if it cannot be read
    record:    that run, if the store has it
    completed: the id of a run in the store that completed the variant; then nobody needs the checkpoint
    running:   whether a run of the variant is going on
    damage:    why it cannot be read; empty if it can
    """

    key: str
    files: tuple[Path, ...]
    n_bytes: int
    changed: datetime
    run_id: str | None = None
    n_updates: int | None = None
    n_epochs: int | None = None
    record: RunRecord | None = None
    completed: str | None = None
    running: bool = False
    damage: str = ""

    def remove(self) -> None:
        """Remove its files; raises StoreError if they cannot be removed."""
        for path in self.files:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise StoreError(f"checkpoint {path}: cannot be removed: {error.strerror}") from None


def find_checkpoints(folder: Path, records: Sequence[RunRecord]) -> list[KeptCheckpoint]:
    """The checkpoints in a folder, the one that was written last first.

    records: the runs of a store, which tell what the checkpoints are of

    Raises StoreError if the folder cannot be read; one that is not there holds none.
    """
    files: dict[str, list[Path]] = {}
    try:
        for path in folder.iterdir() if folder.exists() else ():
            if name := _NAME.fullmatch(path.name):
                files.setdefault(name["key"] or name["half"], []).append(path)
    except OSError as error:
        raise StoreError(f"checkpoints {folder}: {error.strerror}") from None
    runs = _by_key(records) if files else {}
    found = [_kept(key, sorted(paths), runs.get(key, [])) for key, paths in files.items()]
    return sorted((each for each in found if each is not None), key=lambda each: each.changed, reverse=True)


def _by_key(records: Sequence[RunRecord]) -> dict[str, list[RunRecord]]:
    runs: dict[str, list[RunRecord]] = {}
    for record in records:
        with suppress(ConfigError):
            runs.setdefault(variant_key(record.experiment, record.config), []).append(record)
    return runs


def _kept(key: str, files: Sequence[Path], runs: Sequence[RunRecord]) -> KeptCheckpoint | None:
    """The checkpoint in these files; None if they have gone meanwhile."""
    sizes, times = [], []
    for path in files:
        with suppress(OSError):
            stat = path.stat()
            sizes.append(stat.st_size)
            times.append(stat.st_mtime)
    if not sizes:
        return None
    run_id = n_updates = n_epochs = None
    damage = "is only half written"
    for path in sorted((path for path in files if path.suffix == ".npz"), key=lambda path: len(path.name)):
        try:
            _, rest = unpack(path.read_bytes())
            run_id = None if rest["run_id"] is None else str(rest["run_id"])
            n_updates, n_epochs = (int(rest["counters"][name]) for name in ("n_updates", "n_epochs"))
        except (CheckpointError, OSError) as error:
            damage = str(error)
        except (KeyError, TypeError, ValueError) as error:
            damage = f"is no checkpoint: {error!r}"
        else:
            damage = ""
            break
    return KeptCheckpoint(
        key,
        tuple(files),
        sum(sizes),
        datetime.fromtimestamp(max(times), UTC),
        run_id,
        n_updates,
        n_epochs,
        record=next((run for run in runs if run.run_id == run_id), None),
        completed=next((run.run_id for run in runs if run.status == "COMPLETED"), None),
        running=any(run.status == "RUNNING" for run in runs),
        damage=damage,
    )
