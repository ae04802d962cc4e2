"""``kwartier coop``: the neighbourhood's company from the command line."""
