"""Vectors with attributes, in and out: NoiseZoo's layout, `.npy`, safetensors, Parquet."""

from latentdb.interchange.read import import_vectors as import_vectors
from latentdb.interchange.request import Format as Format
from latentdb.interchange.request import ImportOptions as ImportOptions
from latentdb.interchange.summary import ExportSummary as ExportSummary
from latentdb.interchange.summary import ImportSummary as ImportSummary
from latentdb.interchange.write import ExportOptions as ExportOptions
from latentdb.interchange.write import export_vectors as export_vectors
