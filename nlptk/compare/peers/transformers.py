"""transformers' token classifier, by the loop of its guide to token classification.

Words are cut by the checkpoint's tokenizer and the first piece of each is labelled; shuffled, padded batches
of 16 sentences, AdamW, a rate that falls from 1e-4 to 0; the weights after the last epoch. It reads a small
training set as often as nlptk's own does, so that the two differ in program, not in schedule.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nlptk.compare.contestant import Contestant, Data, How, Predict
from nlptk.compare.ours import schedule

_BATCH, _TAGGED, _RATE = 16, 32, 1e-4


def _train(data: Data, folder: Path, how: How) -> dict[str, Any]:
    import torch
    import transformers

    torch.manual_seed(how.seed)
    labels = sorted({label for tags in data.train.gold for label in tags})
    tokenizer = transformers.AutoTokenizer.from_pretrained(how.options["bert"])
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        how.options["bert"], id2label=dict(enumerate(labels)), label2id={x: i for i, x in enumerate(labels)}
    ).to(_device(how))
    collate = transformers.DataCollatorForTokenClassification(tokenizer)
    rows: Any = _rows(data, tokenizer, model.config.label2id)
    loader: Any = torch.utils.data.DataLoader(rows, shuffle=True, batch_size=_BATCH, collate_fn=collate)
    epochs = _epochs(data.tokens)
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE)
    falling = transformers.get_scheduler("linear", optimizer, 0, epochs * len(loader))
    model.train()
    for _ in range(epochs):
        for batch in loader:
            model(**batch.to(model.device)).loss.backward()
            optimizer.step()
            falling.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return {"epochs": epochs}


def _epochs(tokens: int) -> int:
    return schedule({"epochs": 3, "batch_tokens": 400}, "bert", tokens)["epochs"]  # as of nlptk's own


def _rows(data: Data, tokenizer: Any, numbers: dict[str, int]) -> list[dict[str, Any]]:
    """Pieces of each sentence, and the label of each that begins a word."""
    kept = [pair for pair in zip(data.train.items, data.train.gold, strict=True) if pair[0]]
    given = tokenizer([words for words, _ in kept], is_split_into_words=True, truncation=True)
    rows = []
    for i, (_, tags) in enumerate(kept):
        words = given.word_ids(i)
        first = [word is not None and word != before for before, word in zip([None, *words], words)]  # noqa: B905
        gold = [numbers[tags[word]] if new else -100 for new, word in zip(first, words, strict=True)]
        rows.append({name: given[name][i] for name in given} | {"labels": gold})
    return rows


def _load(folder: Path, how: How) -> Predict:
    import torch
    import transformers

    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder).to(_device(how)).eval()
    labels = model.config.id2label

    def predict(sentences: list[list[str]]) -> list[list[str]]:
        found: list[list[str]] = [[labels[0]] * len(words) for words in sentences]  # of words cut off
        kept = [number for number, words in enumerate(sentences) if words]
        for first in range(0, len(kept), _TAGGED):
            numbers = kept[first : first + _TAGGED]
            given = tokenizer(
                [sentences[number] for number in numbers],
                is_split_into_words=True, truncation=True, padding=True, return_tensors="pt",
            ).to(model.device)  # fmt: skip
            with torch.no_grad():
                best = model(**given).logits.argmax(-1).tolist()
            for row, number in enumerate(numbers):
                for place, word in reversed(list(enumerate(given.word_ids(row)))):
                    if word is not None:
                        found[number][word] = labels[best[row][place]]  # at last that of the first piece
        return found

    return predict


def _device(how: How) -> Any:
    from nlptk.neural.devices import find_device

    return find_device(how.device)


CONTESTANTS = (
    Contestant(
        "transformers",
        "peer",
        ("taggers",),
        "transformers' token classifier from the same checkpoint as bert, batches of 16 sentences",
        _train,
        _load,
        ("transformers", "torch"),
        ("transformers.models.auto.modeling_auto", "transformers.models.bert.modeling_bert"),
        "bert",
        cost=1.4,
        epochs=_epochs,
    ),
)
