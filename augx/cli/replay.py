"""`augx replay`."""

from __future__ import annotations

import click

from augx.cli.options import Place, output_argument
from augx.cli.output import say


@click.command("replay", short_help="Make one image again.")
@output_argument
@click.argument("file")
@click.option("-o", "--image", required=True, type=click.Path(), help="Where to write the image.")
@click.option(
    "--input",
    "input",
    type=Place(reads=True),
    help="INPUT of the run; not needed where OUTPUT holds the source as it was.",
)
def replay_command(output: str, file: str, image: str, input: str | None) -> int:
    """Make one image of OUTPUT again from its manifest row, and say whether it comes out the same to the byte.

    FILE is the image's `file_name` in the manifest. Exit code 0: the same bytes. 1: other bytes, for example
    because a library has another version; the image is written all the same.

    \b
    augx replay photos-x10/ cat/tabby_aug03.jpg -o again.jpg
    """
    from augx.replay import replay

    same, message = replay(output, file, image, input)
    say(message)
    return 0 if same else 1
