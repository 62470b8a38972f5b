"""What runs beside a learner's code in the sandbox: it holds no test, expected value, seed or reference."""
