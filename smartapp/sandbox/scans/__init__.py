"""Draws the sample people's scans as DICOM files, the same bytes at every run."""
