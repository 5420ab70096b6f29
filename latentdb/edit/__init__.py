"""Stored pictures changed along directions of the noise that regenerates them."""

from latentdb.edit.edited import Edited as Edited
from latentdb.edit.edited import EditOptions as EditOptions
from latentdb.edit.edited import edit as edit
from latentdb.edit.folder import FolderEdit as FolderEdit
from latentdb.edit.folder import FolderOptions as FolderOptions
from latentdb.edit.folder import edit_folder as edit_folder
from latentdb.edit.step import NormRule as NormRule
from latentdb.edit.step import Pair as Pair
