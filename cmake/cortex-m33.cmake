# Toolchain: the core library for a Cortex-M33, as scripts/sizes and scripts/symbols build it.
#   cmake -S . -B build/m33 -DCMAKE_TOOLCHAIN_FILE=cmake/cortex-m33.cmake -DTL_OPENSSL=OFF -DTL_TOOLS=OFF -DTL_TESTS=OFF
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_C_FLAGS_INIT "-mcpu=cortex-m33 -mthumb -ffunction-sections -fdata-sections")
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
