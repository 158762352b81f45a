"""`augx report`."""

from __future__ import annotations

import os

import click

from augx.cli.options import json_option, output_argument, quiet_option
from augx.cli.output import say


@click.command("report", short_help="Look at a finished run.")
@output_argument
@click.option("-o", "--output", "path", type=click.Path(), metavar="REPORT", help="Where to write the report: a .html.")
@click.option("--probe", type=click.Path(), metavar="FILE",
              help="What `augx probe -o FILE` found, a .json, to tell of it, too.")  # fmt: skip
@json_option
@click.option("--markdown", is_flag=True, help="Print the figures as Markdown, for a comment on a pull request.")
@click.option(
    "--fail-on",
    "limits",
    multiple=True,
    metavar="METRIC>N[%]",
    help="Exit code 1 where a figure is higher: 'lost_objects>5%'. Repeatable.",
)
@quiet_option
def report_command(
    output: str,
    path: str | None,
    probe: str | None,
    as_json: bool,
    markdown: bool,
    limits: tuple[str, ...],
    quiet: bool,
) -> int:
    """Say what a finished run has made of its sources: verdicts, pictures, figures.

    Without -o the verdicts are printed. The report is one HTML file that needs no network: what was lost and why,
    copies that are nearly equal, pictures that were destroyed, leaks between splits, balance, use of each transform.

    \b
    augx report photos-x10/ -o report.html
    augx report photos-x10/ --markdown >> "$GITHUB_STEP_SUMMARY"
    augx report photos-x10/ --fail-on 'lost_objects>5%' --fail-on 'destroyed>0'

    Metrics: failed_images, equal_images, lost_objects, lost_in_a_class, nearly_equal, destroyed, unreadable, leaks,
    alike, grown_boxes, imbalance. Where there is nothing to measure no limit holds.
    nearly_equal and destroyed are of the copies that were looked at, 180 at most.
    """
    from augx import report
    from augx.cli.output import print_json

    if as_json and markdown:
        raise click.UsageError("--json and --markdown are two outputs; ask for one at a time")
    for limit in limits:
        report.parse(limit)
    if path is not None:
        report.check_place(path)
    name = os.path.basename(os.path.abspath(output))
    told = None if probe is None else report.read_probe(probe)
    found = report.figures(output)
    if told is not None:
        found.told["probe"] = told
    if path is not None:
        report.write(path, found, name)
    if as_json:
        print_json(report.as_json(found.told))
    elif markdown:
        say(report.markdown(found.told, name), nl=False)
    elif not quiet:
        for one in report.verdicts(found.told):
            say(f"{one.level + ':':<9}{one.title}: {one.words}")
        if path is not None:
            say(f"all figures and pictures: {path}")
    passed = report.gate(found.told, limits)
    for line in passed:
        say(f"augx: {line}", err=True)
    return 1 if passed else 0
