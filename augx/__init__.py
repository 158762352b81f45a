"""augx: multiply a labelled image dataset. See `architecture.md` beside this file."""

__version__ = "0.3.0"
