print("spangate")
