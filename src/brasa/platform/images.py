"""Which images the platform can run: BlazingText's, of any registry and region, and brasa's own."""

from __future__ import annotations

import re

from brasa.platform.errors import invalid

# The registry's account differs from region to region; the repository's name does not.
_IMAGE = re.compile(r"(?:[^/\s]+/)*(?:blazingtext|brasa)(?:[:@][^/\s]+)?")


def check_image(image: str) -> None:
    """Refuse an image that is neither BlazingText's nor brasa's."""
    if not _IMAGE.fullmatch(image):
        raise invalid(
            f"Cannot find the image {image}. This platform runs BlazingText: "
            "sagemaker.image_uris.retrieve('blazingtext', region) names its image."
        )
