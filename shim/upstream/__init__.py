"""The new face: an ordinary client of the TOEFL Access REST API."""
