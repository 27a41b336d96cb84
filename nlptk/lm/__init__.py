"""Language models that count: n-grams. Neural ones are in nlptk.neural."""
