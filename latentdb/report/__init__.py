"""Reports: what a database holds and answers, as pages that open anywhere."""

from latentdb.report.page import Asked as Asked
from latentdb.report.page import Drawn as Drawn
from latentdb.report.page import render_page as render_page
