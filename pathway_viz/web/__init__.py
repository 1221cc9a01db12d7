"""The web node: hub, sessions, access and pages."""
