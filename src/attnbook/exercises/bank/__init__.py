"""The exercises: a folder a chapter, a file an exercise. No chapter imports another."""
