"""A patient's pages: the list of studies, a study with its report and pictures, and where they are signed in."""
