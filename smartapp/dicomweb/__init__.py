"""DICOMweb (PS3.18): the bytes (core), the PACS that is read (upstream), the server that is offered (gateway)."""
