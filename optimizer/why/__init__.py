"""Why a plan is as it is: facts behind reasons, what if not, and who gains what."""
