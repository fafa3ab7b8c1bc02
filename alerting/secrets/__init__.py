"""The life of a stack's secrets: put there, looked at, proven, replaced.

Nothing here prints, logs or raises a value. Values travel as SecretStr, so that not even a
representation of an object shows one.
"""
