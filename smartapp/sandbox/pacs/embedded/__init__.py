"""A small DICOMweb server (QIDO-RS and WADO-RS, PS3.18 §10.4 and §10.6) over a folder of DICOM files."""
