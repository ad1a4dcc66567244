"""How apps may look that are opened beside our pages (SMART App Launch 2.2, styling)."""
