"""Measurements of our software, paired with the plain tools on the same machine in the same minute."""
