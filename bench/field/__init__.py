"""The study that bench/run makes: instances, peers as subprocesses, results, and what the peers share."""
