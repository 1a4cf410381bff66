"""The width of the records that an operation answers with. Works on bytes, in a stream of any size."""

from typing import Final

from shim import errors
from shim.contracts.mapping import Records, Width
from shim.query import ScoreFile
from shim.spool import SpoolQuota

_SEPARATOR: Final = b"\r\n"


def fit(file: ScoreFile, wanted: Records, quota: SpoolQuota) -> tuple[ScoreFile, int]:
    """Give every record a width in bytes; the separators stay as they are.

    Args:
        file: The score file, which is closed if a new one is made.
        wanted: ``as-sent``, or the width and what becomes of wider records.
        quota: Where a new file is held.

    Returns:
        The score file, and how many records were cut.

    Raises:
        OperatorError: A record is wider than the policy allows, the file is not made of records,
            or there is no room for the new one.
    """
    if wanted == "as-sent" or not file.size:
        return file, 0
    if file.records is None:
        file.close()
        raise errors.RECORD_WIDTH.error(note="JSON has no records of a width")
    cuts = 0
    with file, quota.spooling() as fitted:
        for line in file.spool:
            record = line.rstrip(_SEPARATOR)
            cuts += _is_cut(record, wanted)
            if record:
                fitted.write(record[: wanted.width].ljust(wanted.width))
            fitted.write(line[len(record) :])
        size = fitted.tell()
        fitted.seek(0)
    return ScoreFile(fitted, size, file.records), cuts


def _is_cut(record: bytes, width: Width) -> bool:
    if len(record) > width.width and width.wider == "refuse":
        raise errors.RECORD_WIDTH.error(note=f"a record of {len(record)} bytes")
    return len(record) > width.width
