# Toolchain: the library and its own kernels for 64-bit ARM with Linux, as tests/cli/arm.sh builds them.
#   cmake -S . -B build/arm -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux.cmake -DTL_OPENSSL=OFF -DTL_TOOLS=OFF -DTL_TESTS=OFF
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
