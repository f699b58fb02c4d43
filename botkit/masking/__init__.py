"""Keeps secrets and personal data out of everything that is shown, however they are spelled."""

from botkit.masking.credentials import (
    assigned_secrets,
    named_secrets,
    opening_secrets,
    url_secrets,
    userdata_secrets,
    without_password,
)
from botkit.masking.exceptions import mask_error
from botkit.masking.masker import HIDDEN, Masker, masked_by, masked_live
from botkit.masking.needles import SHORT
from botkit.masking.shortening import CUT, shortened, shortened_repr

__all__ = [
    "CUT",
    "HIDDEN",
    "SHORT",
    "Masker",
    "assigned_secrets",
    "mask_error",
    "masked_by",
    "masked_live",
    "named_secrets",
    "opening_secrets",
    "shortened",
    "shortened_repr",
    "url_secrets",
    "userdata_secrets",
    "without_password",
]
