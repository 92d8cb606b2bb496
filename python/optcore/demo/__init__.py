"""What `optcore demo` is made of: the training of a network with every optimizer, timed.

Network and data are those of `optcore.problems`. `plain` and `training` need NumPy alone, so that
benchmarks can use them; `plot` and `progress` import the extras of `optcore[demo]` when called.
"""
