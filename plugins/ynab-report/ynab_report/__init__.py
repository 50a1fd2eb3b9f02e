"""The report: database -> `queries` -> `data` -> (`redact`) -> `document` -> `files`, run by `cli`."""
