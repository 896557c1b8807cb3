"""Specs beside one another, and two versions of a project: what differs, and which differences are certain."""
