"""The vendor's REST sample in Python: the host is the argument, the authcode an environment variable."""

import hashlib
import os
import sys

import requests

for format_parameter in ("", "&format=json"):
    response = requests.get(
        f"{sys.argv[1]}/scores?startdate=2025-04-21T16:45:03&enddate=2025-04-22T16:52:13&type=TOEFL"
        f"&reportby=scorelinkbyreportdate{format_parameter}",
        headers={"authcode": os.environ["TOEFL_AUTHCODE"]},
        timeout=60,
    )
    sys.stdout.write(f"{response.status_code} {hashlib.sha256(response.content).hexdigest()}\n")
