"""`augx schema` and `augx completion`: for editors and shells."""

from __future__ import annotations

import os

import click


@click.command("schema", short_help="Print the JSON Schema of a recipe.")
@click.option("-o", "--output", default="-", show_default=True, help="The file to write; - for stdout.")
@click.option("--force", is_flag=True, help="Write over a file that is there and no schema of augx.")
def schema_command(output: str, force: bool) -> int:
    """Print the JSON Schema (draft-07) of a recipe: every transform with its arguments, what they take, what they are
    without being given, and a sentence about each. Editors complete, explain and check recipes with it.

    An editor with a YAML language server reads it where the first line of a recipe says so, as `augx init` writes it:

    \b
    # yaml-language-server: $schema=.augx.schema.json

    Write the file anew after an update of augx; it needs no network. Only a schema of augx is written over without
    --force.

    \b
    augx schema -o .augx.schema.json
    augx schema | jq '.definitions["transform-Affine"]'
    """
    from augx import spare
    from augx.schema import as_text, is_schema
    from augx.store import write_file

    if output == "-":
        click.echo(as_text(), nl=False)
    else:
        spare.check_place(output, ".augx.schema.json")
        spare.check_free(output, force, "give another name with -o, or --force to write over it", is_schema)
        write_file(output, as_text().encode())
        click.echo(f"wrote {output}; begin a recipe with: # yaml-language-server: $schema={os.path.basename(output)}")
    return 0


@click.command("completion", short_help="Print what makes a shell complete augx.")
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print what makes a shell complete verbs, options, transforms, recipes, formats and codes. SHELL is bash, zsh or
    fish.

    \b
    echo 'eval "$(augx completion bash)"' >> ~/.bashrc
    echo 'eval "$(augx completion zsh)"' >> ~/.zshrc
    augx completion fish > ~/.config/fish/completions/augx.fish
    """
    from click.shell_completion import get_completion_class

    from augx.cli import group

    found = get_completion_class(shell)
    assert found is not None
    template, variables = found.source_template, found(group, {}, "augx", "_AUGX_COMPLETE").source_vars()
    click.echo(template % variables, nl=False)  # its own source() asks for the version of the bash that runs here
    return 0
