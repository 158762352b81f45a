"""INPUT and OUTPUT that lie elsewhere: buckets and other file systems, through fsspec."""
