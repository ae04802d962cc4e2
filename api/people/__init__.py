"""The book of people: who may come in, what each may see, who looked, and what they want told.

It knows no HTTP. Money and members stand in the books (``api.cooperative``); here stand accounts,
what proves them, sessions, grants, helper links, the log of looks, wishes and messages.
"""
