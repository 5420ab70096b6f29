"""Pictures in: sources, decoding, quarantine, and the pipeline that resumes."""
