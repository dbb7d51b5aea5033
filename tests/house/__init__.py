"""The house rules that no linter knows: sizes, names, what is banned, and papers that must agree with the code."""
