"""The report: `database` -> `data` -> perhaps `redact` -> `document` -> `files`, by `cli`."""
