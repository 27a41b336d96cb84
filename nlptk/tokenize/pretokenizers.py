from __future__ import annotations
from dataclasses import dataclass
from typing import Any
from nlptk import _core
from nlptk.errors import ConfigError
PATTERNS: dict[str,str] = {
"gpt2": r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
"cl100k": r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
"llama3": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
}
@dataclass
class Scanner:
    name: str
    def spans(self, text: str): return _core.pretokenize(text, self.name)
@dataclass
class Splitter:
    regex: Any
    def spans(self, text: str):
        found=[]; at=0
        for m in self.regex.finditer(text):
            a,b=m.span()
            if a>at: found.append((at,a))
            if b>a: found.append((a,b))
            at=max(at,b)
        if at<len(text): found.append((at,len(text)))
        return found
def resolve_pattern(p: str):
    if p in _core.PRETOKENIZE_PATTERNS: return Scanner(p)
    for k,v in PATTERNS.items():
        if v==p: return Scanner(k)
    import regex
    return Splitter(regex.compile(p))
