# make run    build, install into .venv, annotate English and Chinese, compare three taggers
# make test   lint, types, C++ tests under sanitizers, Python tests
# make bench  measure what docs/benchmarks.md shows (hours; wants the corpora, see README)
# make fuzz   run the fuzz targets under ASan and UBSan, FUZZ_SECONDS each (docs/fuzzing.md)
# make docs   run the examples of docs/ and write docs/benchmarks.md from the last results
# make models train the embedded pipelines from the corpora

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt
# Python started in this folder finds the source tree first, so the kernels go there too.
PLACE_KERNELS = @cp $(VENV)/lib/python*/site-packages/nlptk/_core*.so nlptk/
SOURCES := $(shell find csrc nlptk -type f ! -name '*.pyc' ! -name '*.so') CMakeLists.txt pyproject.toml constraints.txt

.PHONY: run test lint types ctest pytest fuzz bench docs models clean

run: $(VENV)/.run
	$(BIN)/nlptk demo
	rm -rf build/comparison
	$(BIN)/nlptk compare demo --out build/comparison

test: lint types ctest pytest

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

ctest: $(VENV)/.dev
	$(BIN)/cmake -S . -B build/ctest -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DNLPTK_PYTHON=OFF -DNLPTK_TESTS=ON -DNLPTK_SANITIZE=ON
	$(BIN)/cmake --build build/ctest
	$(BIN)/ctest --test-dir build/ctest --output-on-failure

# From tests/, so that the installed package is tested, not the source tree beside it; files over the cores.
pytest: $(VENV)/.dev
	cd tests && ../$(BIN)/pytest -q -n auto --maxprocesses 4 --dist loadfile .

FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 2
FUZZ_SEED ?= 1
fuzz: $(VENV)/.dev
	$(BIN)/cmake -S . -B build/fuzz -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(BIN))/ninja \
	  -DNLPTK_PYTHON=OFF -DNLPTK_FUZZ=ON
	$(BIN)/cmake --build build/fuzz
	cd build/fuzz && printf '%s\n' bin/fuzz_* | \
	  xargs -P $(FUZZ_JOBS) -I{} env {} -max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED)

bench: $(VENV)/.bench
	for script in accuracy pipeline latency viterbi crf crf_tagging crf_stream crf_head hmm jieba bpe wordpiece bert neural_tagger pretraining neural_classifier char_lm translation word2vec phrases linear tfidf similar fasttext zh_classifier ngram_lm; do $(BIN)/python benchmarks/bench_$$script.py || exit 1; done
	$(BIN)/python benchmarks/report.py

docs: $(VENV)/.dev
	cd tests && ../$(BIN)/pytest -q test_docs.py
	$(BIN)/python benchmarks/report.py

models: $(VENV)/.run
	$(BIN)/python tools/word_clusters.py --output build/clusters-en.tsv.gz
	$(BIN)/python benchmarks/bench_accuracy.py --only gsd-ner
	$(BIN)/python tools/train_pipelines.py --clusters build/clusters-en.tsv.gz

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: $(BIN)/python $(SOURCES)
	$(PIP) .
	$(PLACE_KERNELS)
	@touch $@

$(VENV)/.dev: $(BIN)/python $(SOURCES)
	$(PIP) ".[dev]"
	$(PLACE_KERNELS)
	@touch $@ $(VENV)/.run

$(VENV)/.bench: $(VENV)/.dev
	$(PIP) torch ".[bench]"
	@touch $@

clean:
	rm -rf build $(VENV) nlptk/_core*.so
