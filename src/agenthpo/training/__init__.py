"""Where a trial runs: ``runner.run`` takes a RunSpec and returns an Outcome; nothing here knows of
studies or models.
"""
