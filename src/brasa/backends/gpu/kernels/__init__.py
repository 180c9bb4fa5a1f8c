"""What Triton compiles for the GPU.

A program trains whole blocks, one after the other, in the order and with the random numbers of
`brasa.backends.reference`; hundreds of them run at once and move the rows of the same matrices with
relaxed atomic additions, as the CPU's threads do without any. A step reads all of its rows before
it moves one.

Rows that others move are read past the first-level cache (``.cg``): it is not coherent, and a
program that lives for a whole span would see its own old copies of frequent words.
"""
