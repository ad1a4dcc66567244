"""The pages of app developers: a link by mail, their apps, and how the apps' requests fared."""
