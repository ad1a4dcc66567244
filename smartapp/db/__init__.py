"""The database: engine, unit of work, column types, and the patients' data keys."""
