"""The file of a checkpoint: an .npz with arrays by name, and everything else as JSON in one of them.

Its zip comment, the last 64 bytes, is the SHA-256 of all before it, so that no damage goes unseen.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

from rnnlab.errors import CheckpointError

FORMAT = 1

_REST = "rest"
_DIGEST_LENGTH = 64

# What reading raises where the checksum is right, but somebody else wrote the file.
_NO_CHECKPOINT = (ValueError, TypeError, KeyError, EOFError, OSError)


def pack(arrays: Mapping[str, np.ndarray], rest: Mapping[str, Any]) -> bytes:
    """The content of a file with these arrays, and the rest, which must be plain JSON."""
    buffer = io.BytesIO()
    text = json.dumps({"format": FORMAT, **rest}).encode()
    np.savez(buffer, allow_pickle=False, **arrays, **{_REST: np.frombuffer(text, np.uint8)})
    # A zip file ends with the length of its comment and the comment.
    body = buffer.getvalue()[:-2] + _DIGEST_LENGTH.to_bytes(2, "little")
    return body + _digest(body)


def unpack(content: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """The arrays and the rest in a file's content; raises CheckpointError if it is damaged or of another format."""
    body, digest = content[:-_DIGEST_LENGTH], content[-_DIGEST_LENGTH:]
    if digest != _digest(body):
        raise CheckpointError("is damaged: its checksum is wrong")
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = dict(file)
        rest = json.loads(arrays.pop(_REST).tobytes())
        made_in = rest["format"]
    except (*_NO_CHECKPOINT, zipfile.BadZipFile) as error:
        raise CheckpointError(f"is no checkpoint: {error or type(error).__name__}") from None
    if made_in != FORMAT:
        raise CheckpointError(f"is in format {made_in!r}, not {FORMAT}, that of this release")
    return arrays, rest


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode()
