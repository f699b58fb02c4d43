"""Keeps secrets and personal data out of everything that is shown, however they are spelled."""

from botkit.masking.masker import CUT, HIDDEN, SHORT, Masker
from botkit.masking.shortening import shortened, shortened_repr

__all__ = ["CUT", "HIDDEN", "SHORT", "Masker", "shortened", "shortened_repr"]
