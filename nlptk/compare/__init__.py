"""Classical against neural: models trained and measured on the same data, and a report of it."""
