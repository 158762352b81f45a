"""`augx verify`."""

from __future__ import annotations

import click

from augx.cli.options import cores, json_option, output_argument, quiet_option, workers_option


@click.command("verify", short_help="Hold OUTPUT against its manifest.")
@output_argument
@workers_option
@json_option
@quiet_option
def verify_command(output: str, workers: int | None, as_json: bool, quiet: bool) -> int:
    """Hold every file of OUTPUT against the manifest: there, its size and SHA-256, decodes, the size in pixels.

    And the other way round: every file is in a row. Exit code 0: all holds. 1: something does not, each on a line.

    \b
    augx verify photos-x10/
    """
    from augx import manifest
    from augx.cli.output import print_json

    rows, findings = manifest.verify(output, workers or cores())
    if as_json:
        print_json({"rows": rows, "findings": findings})
    elif not quiet:
        for finding in findings:
            click.echo(finding)
        click.echo(f"{rows:,} rows hold" if not findings else f"{len(findings):,} findings in {rows:,} rows")
    return 1 if findings else 0
