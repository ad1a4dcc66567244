"""Debian's Orthanc as the PACS: one process per hospital."""
