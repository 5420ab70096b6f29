"""Where pictures come from: one kind of source per file."""

from latentdb.ingest.sources.base import AbstractSource as AbstractSource
from latentdb.ingest.sources.base import Candidate as Candidate
from latentdb.ingest.sources.chain import ChainSource as ChainSource
from latentdb.ingest.sources.files import FilesSource as FilesSource
from latentdb.ingest.sources.folder import FolderSource as FolderSource
from latentdb.ingest.sources.opening import open_source as open_source
from latentdb.ingest.sources.tar import TarSource as TarSource
from latentdb.ingest.sources.zip import ZipSource as ZipSource
