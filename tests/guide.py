"""What the vendor's guide says, as the tests use it."""

from datetime import datetime
from typing import Any

START = datetime(2025, 4, 21, 16, 45, 3)  # noqa: DTZ001 - UTC, as the REST API writes it
END = datetime(2025, 4, 22, 16, 52, 13)  # noqa: DTZ001 - same
QUERY: dict[str, Any] = {
    "startdate": START.isoformat(),
    "enddate": END.isoformat(),
    "type": "TOEFL",
    "reportby": "scorelinkbyreportdate",
}
REQUEST_LINE = (
    "GET /scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13&type=TOEFL&reportby=scorelinkbyreportdate"
    " HTTP/1.1"
)
