"""What the neural tagger knows of a word's place beside the word: from settings, and from a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nlptk.lexicons import pack_gazetteers, read_gazetteers, unpack_gazetteers
from nlptk.neural.names import NameInputs
from nlptk.neural.neighbours import GivenInputs, PairInputs, SegmentInputs
from nlptk.neural.states import load_vectors
from nlptk.tag.base import pack_strings, take_array, unpack_strings

if TYPE_CHECKING:
    from nlptk.neural.tagger import NeuralTagger

#: Gives a vector to each word's place; `numbers` is what its forward takes.
PlaceInputs: TypeAlias = NameInputs | GivenInputs

_GIVEN: dict[str, type[GivenInputs]] = {"pair_vectors": PairInputs, "segment_vectors": SegmentInputs}
#: Settings of the tagger that make them.
SETTINGS = ("gazetteers", *_GIVEN)


def make_places(tagger: NeuralTagger, X: Sequence[Sequence[str]]) -> list[PlaceInputs]:
    """Those of a tagger's settings, for training sentences."""
    places: list[PlaceInputs] = [NameInputs.of(names, X) for names in read_gazetteers(tagger.gazetteers)]
    for setting, kind in _GIVEN.items():
        vectors = load_vectors(getattr(tagger, setting))
        if vectors is not None:
            places.append(kind(vectors.index_to_key, vectors.vectors))
    return places


def pack_places(places: Sequence[PlaceInputs]) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """What `unpack_places` needs beside the weights."""
    names = [one for one in places if isinstance(one, NameInputs)]
    config, arrays = pack_gazetteers([one.gazetteer for one in names])
    arrays |= {f"gazetteer_{number}_found": one.keys for number, one in enumerate(names)}
    given = {setting: one for one in places for setting, kind in _GIVEN.items() if isinstance(one, kind)}
    for setting, one in given.items():
        arrays |= pack_strings(setting, one.rows)
    packed = {"gazetteers": config, "given": list(given)}
    return {name: found for name, found in packed.items() if found}, arrays


def unpack_places(
    config: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], weights: Mapping[str, NDArray[Any]]
) -> list[PlaceInputs]:
    """Those that `pack_places` packed; `weights` are those of the tagger's network."""
    lists = unpack_gazetteers(config.get("gazetteers"), arrays).values()
    places: list[PlaceInputs] = [
        NameInputs(one, take_array(f"gazetteer_{number}_found", arrays, np.uint32, 1))
        for number, one in enumerate(lists)
    ]
    for setting in config.get("given", ()):
        vectors = weights[f"places.{len(places)}.given"][2:]
        places.append(_GIVEN[setting](unpack_strings(setting, arrays), vectors))
    return places
