"""Decoding: sequences from any model that gives the next token's distribution a step at a time.

    greedy        the most probable token at each step
    beam_search   the best of many hypotheses: length and coverage penalty, n best, exact end
    sample        drawn: temperature, top-k, top-p, min-p, repetition penalty, a seed for each row

All take a :class:`nlptk.decoding.StepModel`, a state of it with so many rows, and
:class:`nlptk.decoding.Limits`: first and end token, lengths, prefixes that are forced. Rows that are finished
leave the batch.
"""

from __future__ import annotations

from nlptk.neural.decode_beam import beam_search as beam_search
from nlptk.neural.decode_sampling import filtered as filtered
from nlptk.neural.decode_sampling import greedy as greedy
from nlptk.neural.decode_sampling import sample as sample
