"""The auditor's parcel: a run with its rules, results and entries, checked without the books."""
