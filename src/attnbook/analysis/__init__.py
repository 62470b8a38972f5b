"""What a trained model does inside: heads and their roles, pronouns and patching, operations counted."""
