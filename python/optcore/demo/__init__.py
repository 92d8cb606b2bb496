"""What `optcore demo` is made of: a network in NumPy, real data, and every optimizer.

`network`, `plain` and `training` need NumPy alone, so that benchmarks can use them; `data`,
`plot` and `progress` import the extras of `optcore[demo]` when they are called.
"""
