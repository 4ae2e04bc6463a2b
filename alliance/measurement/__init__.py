"""What a rating means, in plain Python: no Django, no clock, no database.

Every number is in whole tenths of a point (an answer 0..100, a four-line total 0..400) until a sentence is
made for a person. The rules in words, with their sources, are in docs/clinical-rules.md.
"""
