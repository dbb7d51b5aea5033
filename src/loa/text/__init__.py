"""Alphabets, counting, cutting and folding of text. Pure."""
