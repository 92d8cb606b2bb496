"""What `optcore bench` does with the benchmarks: runs them, and shows what they measured.

The benchmarks themselves are in `benchmarks/`, which an installed optcore carries along.
"""
