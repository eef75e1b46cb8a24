"""The adversary: looks for the instance that hurts a sentence most. It proposes; only fresh trials decide."""
