"""The truth bench: which pages are due in a random history, and which does a rule set send?"""
