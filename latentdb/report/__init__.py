"""Reports as pages that open anywhere: what a database answers, and the UNE study of its spaces.

`latentdb.report.page` draws answers; `latentdb.report.run` runs the studies, one per file here.
"""
