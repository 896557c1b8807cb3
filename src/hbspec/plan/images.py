"""The images of a job's examples: how many there are, and how many patches a tower computes of a micro-batch."""

from __future__ import annotations

from typing import NamedTuple

from hbspec.catalog.vision import Vision


class Images(NamedTuple):
    """Images of the examples, as far as they are known.

    Attributes:
        mean: images of an example; None where not known.
        most: images of the example that has most; None where not known.
        pixels: of the largest image, as the processor resizes it; None where not known.
        least: whether as few patches as are possible are counted, and not the most.
    """

    mean: float | None = None
    most: int | None = None
    pixels: int | None = None
    least: bool = False

    def known(self, vision: Vision) -> bool:
        """Whether the patches of an example are known, and not only bounded by the length of its row."""
        return self.most is not None and (self.pixels is not None or bool(vision.fixed))

    def most_patches(self, vision: Vision, rows: int, tokens: int) -> int:
        """Patches of the micro-batch that has most.

        A row has a token for every square of patches, so that its length bounds them whatever is not known. At least
        one row has the most images, and the others the mean; where neither is known, at least one image each.

        Args:
            vision: the tower.
            rows: of a micro-batch.
            tokens: of each row.
        """
        room = self._room(vision, tokens)
        if not self.least:
            return rows * (min(self._of(self.most, vision), room) if self.known(vision) else room)
        most, usual = self._of(self.most or 1, vision), self._of(self.mean or 1, vision)
        return min(most, room) + (rows - 1) * min(usual, room)

    def usual_patches(self, vision: Vision, rows: int, tokens: int) -> int:
        """Patches of a micro-batch whose examples have as many images as the mean; the most where it is not known."""
        if self.mean is None or not (self.known(vision) or self.least):
            return self.most_patches(vision, rows, tokens)
        return rows * min(self._of(self.mean, vision), self._room(vision, tokens))

    def _of(self, number: float | None, vision: Vision) -> int:
        """Patches of so many images; the smallest is one square of patches where sizes differ."""
        return round((number or 0) * vision.patches(self.pixels or 0))

    def _room(self, vision: Vision, tokens: int) -> int:
        """Patches that a row has room for: of at least one image where all are of one size."""
        if not vision.fixed:
            return max(1, tokens) * vision.square
        return max(1, tokens // vision.tokens(0)) * vision.patches(0)
