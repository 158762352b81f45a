"""`augx export`."""

from __future__ import annotations

import click

from augx.cli.options import output_argument, quiet_option


@click.command("export", short_help="The manifest as a Parquet table.")
@output_argument
@click.option("-o", "--table", "path", required=True, type=click.Path(), metavar="FILE", help="Where to: a .parquet.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@quiet_option
def export_command(output: str, path: str, force: bool, quiet: bool) -> int:
    """Write the manifest of a finished OUTPUT as a Parquet table, which pandas, polars and DuckDB read.

    A row an image: names, copy, split, size, digests, `labels` (class to weight), `boxes` (label, x, y, width,
    height), and `row`, the line of manifest.jsonl with all the rest. It needs the extra `parquet`.

    \b
    augx export photos-x10/ -o photos-x10.parquet
    duckdb -c "select split, count(*) from 'photos-x10.parquet' group by split"
    """
    from augx.parquet import write

    rows = write(output, path, force)
    if not quiet:
        click.echo(f"{rows:,} rows are in {path}")
    return 0
