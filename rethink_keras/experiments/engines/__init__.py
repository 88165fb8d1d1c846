"""Where the runs of a sweep compute; each engine ends every job and tells its outcome."""
