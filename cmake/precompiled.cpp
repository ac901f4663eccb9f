// Where the precompiled header of src/ is made; see limner.cmake.
