"""Papers: what a statement looks like for people, for sheets, for programs and for e-invoicing.

What makes a paper is pure: a :class:`~api.cooperative.statement.Statement` goes in, bytes come out,
and the same statement gives the same bytes, so that a paper's hash can be kept.
"""
