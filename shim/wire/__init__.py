"""The legacy face: SOAP 1.1 and 1.2 as the retired service spoke them. Temporary, as the whole package is."""
