"""Scalar algorithms: floats in, floats out; they know no Record."""
