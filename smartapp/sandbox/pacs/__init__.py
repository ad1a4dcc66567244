"""The sandbox's PACS: an embedded DICOMweb server, or Debian's Orthanc."""
