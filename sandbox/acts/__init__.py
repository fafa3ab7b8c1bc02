"""What `make drill-full` plays: the slower promises, each on a live server, engine and sentinel."""
