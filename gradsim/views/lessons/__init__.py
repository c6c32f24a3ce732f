"""The pages of lessons: texts, questions, and profiles drawn by hand."""
