"""nlptk: a classical-to-neural NLP toolkit for English and Chinese.

>>> import nlptk
>>> nlp = nlptk.load("en")
>>> [(token.text, token.pos_) for token in nlp("Time flies.")]  # doctest: +SKIP

Nothing is imported until it is used, so ``import nlptk`` is fast and loads no NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nlptk import compare as compare
    from nlptk import draw as draw
    from nlptk import errors as errors
    from nlptk.doc import Doc as Doc
    from nlptk.docbin import DocBin as DocBin
    from nlptk.language import Language as Language
    from nlptk.language import blank as blank
    from nlptk.language import load as load
    from nlptk.registry import component as component
    from nlptk.registry import factory as factory
    from nlptk.tokenize.jieba import JiebaTokenizer as JiebaTokenizer
    from nlptk.vectors.keyed_vectors import KeyedVectors as KeyedVectors
    from nlptk.views import Span as Span
    from nlptk.views import Token as Token

__version__ = "0.1.0"

_EXPORTS = {
    "BPE": "nlptk.tokenize.bpe:BPE",
    "CRF": "nlptk.tag.crf_sklearn:CRF",
    "CRFTagger": "nlptk.tag.crf:CRFTagger",
    "CountVectorizer": "nlptk.vectors.counts:CountVectorizer",
    "Doc": "nlptk.doc:Doc",
    "DocBin": "nlptk.docbin:DocBin",
    "DocumentVectors": "nlptk.vectors.documents:DocumentVectors",
    "FastTextClassifier": "nlptk.classify.fasttext:FastTextClassifier",
    "HMMTagger": "nlptk.tag.hmm:HMMTagger",
    "HashingVectorizer": "nlptk.vectors.counts:HashingVectorizer",
    "JiebaTokenizer": "nlptk.tokenize.jieba:JiebaTokenizer",
    "KeyedVectors": "nlptk.vectors.keyed_vectors:KeyedVectors",
    "Language": "nlptk.language:Language",
    "LinearClassifier": "nlptk.classify.linear:LinearClassifier",
    "NgramLM": "nlptk.lm.ngram:NgramLM",
    "OneHotVectorizer": "nlptk.vectors.documents:OneHotVectorizer",
    "Phrases": "nlptk.vectors.phrases:Phrases",
    "RuleTokenizer": "nlptk.tokenize.rules:RuleTokenizer",
    "Segmenter": "nlptk.tokenize.segmenter:Segmenter",
    "Span": "nlptk.views:Span",
    "StackedTagger": "nlptk.tag.stacking:StackedTagger",
    "Tagger": "nlptk.tag.component:Tagger",
    "TfidfVectorizer": "nlptk.vectors.counts:TfidfVectorizer",
    "Token": "nlptk.views:Token",
    "Vocabulary": "nlptk.vectors.vocabulary:Vocabulary",
    "Word2Vec": "nlptk.vectors.word2vec:Word2Vec",
    "WordPiece": "nlptk.tokenize.wordpiece:WordPiece",
    "blank": "nlptk.language:blank",
    "compare": "nlptk.compare",  # a package that is the function too
    "component": "nlptk.component",  # a module that is the decorator too
    "draw": "nlptk.draw",
    "errors": "nlptk.errors",
    "factory": "nlptk.registry:factory",
    "load": "nlptk.language:load",
}
# Of the extra "neural": not in __all__, as a star import must do without torch.
_NEURAL = {
    "Bert": "nlptk.neural.bert:Bert",
    "NeuralClassifier": "nlptk.neural.classifier:NeuralClassifier",
    "NeuralLM": "nlptk.neural.lm:NeuralLM",
    "NeuralTagger": "nlptk.neural.tagger:NeuralTagger",
    "Seq2Seq": "nlptk.neural.seq2seq:Seq2Seq",
}

__all__ = [*_EXPORTS, "__version__"]


def __getattr__(name: str) -> Any:
    if name == "_core":
        return _kernels()
    try:
        module, _, attribute = (_EXPORTS.get(name) or _NEURAL[name]).partition(":")
    except KeyError:
        raise AttributeError(f"module 'nlptk' has no attribute {name!r}") from None
    found = import_module(module)
    value = getattr(found, attribute) if attribute else found
    globals()[name] = value
    return value


def _kernels() -> Any:
    try:
        return import_module("nlptk._core")
    except ModuleNotFoundError as error:
        if error.name != "nlptk._core":  # what the kernels import is missing, not they
            raise
        raise ImportError(
            f"nlptk in {__path__[0]} has no compiled kernels: it is the source folder, which Python finds "
            "before the installed package when started there: start it elsewhere, or build with `make run`"
        ) from None


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS, *_NEURAL})
