"""Fits the records of a score file to the width that an operation answers with, as a stream."""

from typing import Final

from shim import errors
from shim.contracts.mapping import RecordPolicy
from shim.query import ScoreFile
from shim.spool import SpoolQuota

_SEPARATOR: Final = b"\r\n"


def fit(file: ScoreFile, policy: RecordPolicy, quota: SpoolQuota) -> tuple[ScoreFile, int]:
    """Give every record the width of a policy, in bytes; the separators stay as they are.

    Args:
        file: The score file; it is closed if a new one is made.
        policy: ``as-sent``, or a width.
        quota: The quota for the new file.

    Returns:
        The score file, which is the given one if nothing has to change, and the number of records that were cut.

    Raises:
        OperatorError: A record is wider than the policy allows, the file has no fixed-length records, or the quota is
            used up.
    """
    if policy == "as-sent" or not file.size:
        return file, 0
    if file.records is None:
        file.close()
        raise errors.RECORD_WIDTH.error(note="JSON has no fixed-length records")
    cut = 0
    with file, quota.spooling() as fitted:
        for line in file.spool:
            record = line.rstrip(_SEPARATOR)
            if len(record) > policy.width:
                if policy.wider == "refuse":
                    raise errors.RECORD_WIDTH.error(note=f"a record of {len(record)} bytes")
                cut += 1
            if record:
                fitted.write(record[: policy.width].ljust(policy.width))
            fitted.write(line[len(record) :])
        size = fitted.tell()
        fitted.seek(0)
    return ScoreFile(fitted, size, file.records), cut
