"""Stand-ins and fixtures that tests share."""
