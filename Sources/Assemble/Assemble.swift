// Design note to come with the first file of this module.
