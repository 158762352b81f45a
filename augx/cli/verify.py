"""`augx verify`."""

from __future__ import annotations

import click

from augx.cli.options import cores, json_option, output_argument, quiet_option, workers_option
from augx.cli.output import say
from augx.errors import one_line


@click.command("verify", short_help="Hold OUTPUT against its manifest.")
@output_argument
@click.option("--deep", is_flag=True, envvar="AUGX_DEEP", help="Look at every bit: also of summary.json and .augx.")
@workers_option
@json_option
@quiet_option
def verify_command(output: str, deep: bool, workers: int | None, as_json: bool, quiet: bool) -> int:
    """Hold every file of OUTPUT against the manifest: there, its size and SHA-256, decodes, the size in pixels.

    And the other way round: every file is in a row. With --deep also summary.json to the byte, augx's own files under
    .augx, and masks decode. Exit code 0: all holds. 1: something does not, each on a line.

    Nothing is written but dates: an image, label file or mask that does not hold gets one of 1970, and the next
    `augx run` makes it again. Where OUTPUT may not be written, it does not.

    \b
    augx verify photos-x10/
    augx verify --deep photos-x10/
    """
    from augx.cli.output import print_json
    from augx.verify import verify

    rows, findings = verify(output, cores() if workers is None else workers, deep)
    if as_json:
        print_json({"rows": rows, "findings": findings})
    elif not quiet:
        for finding in findings:
            say(one_line(finding))
        say(f"{rows:,} rows hold" if not findings else f"{len(findings):,} findings in {rows:,} rows")
    return 1 if findings else 0
