// Where the tests' precompiled header is made; see tests/CMakeLists.txt.
