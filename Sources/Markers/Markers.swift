// Markers: what changed, where and when. Announced ones are read here from what senders write;
// deployments nobody announced are inferred from the versions that spans name; and where both tell
// of the same change, one of them stands for it. Everything is a function of its arguments: where
// markers are kept, and how they come in, is for others.
