"""De-identification by the Basic Application Level Confidentiality Profile (PS3.15 annex E), without any option.

One table says what becomes of each attribute (`rules`); it is applied to files as they pass (`files`) and to DICOM JSON
(`rows`), so that both say the same. What nobody can tell to be free of names (`pictures`) is withheld instead.
"""
