"""The public names, for type checkers: as in `_PUBLIC` of `__init__.py`."""

from augx.api import merge as merge
from augx.api import read as read
from augx.api import run as run
from augx.api import sheet as sheet
from augx.engine import Outcome as Outcome
from augx.errors import AugxError as AugxError
from augx.errors import RecipeError as RecipeError
from augx.errors import Refused as Refused
from augx.finished import Example as Example
from augx.finished import Images as Images
from augx.finished import Manifest as Manifest
from augx.model import Dataset as Dataset
from augx.preview import Sheet as Sheet
from augx.recipe import Recipe as Recipe

__version__: str
__all__: list[str]
