# The same loop with the networks in TensorFlow Lite Micro. Its library is linked as it is: from its own build, or from a vendor.
#   TFLM_LIBRARY      libtensorflow-microlite.a for this processor, and others that it needs
#   TFLM_INCLUDE      folders of headers: its root, and those of FlatBuffers, gemmlowp and ruy of the versions that it was built with
#   TFLM_DEFINITIONS  what it was compiled with and its headers read: a release has TF_LITE_STRIP_ERROR_STRINGS as well
#   MICRO_EXTRA_BYTES what its kernels want in an arena beside the tensors
set(TFLM_DEFINITIONS TF_LITE_STATIC_MEMORY CACHE STRING "Definitions of its build")
set(MICRO_EXTRA_BYTES 0 CACHE STRING "Bytes that its kernels want in an arena")
foreach(library IN LISTS TFLM_LIBRARY)
  if(NOT EXISTS "${library}")
    message(FATAL_ERROR "-DTFLM_LIBRARY: expected a file, found none: ${library}")
  endif()
endforeach()
find_path(interpreter tensorflow/lite/micro/micro_interpreter.h PATHS ${TFLM_INCLUDE} NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
if(NOT interpreter)
  message(FATAL_ERROR "-DTFLM_INCLUDE: expected a folder with tensorflow/lite/micro/micro_interpreter.h, found: ${TFLM_INCLUDE}")
endif()
add_library(microlite INTERFACE)
target_include_directories(microlite SYSTEM INTERFACE ${TFLM_INCLUDE})
target_compile_definitions(microlite INTERFACE ${TFLM_DEFINITIONS})
target_link_libraries(microlite INTERFACE ${TFLM_LIBRARY})

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "cortex-m4")
  add_executable(measure_tflm tflm/measure.cc cortex_m/startup.c)
  target_link_options(measure_tflm PRIVATE -T "${CMAKE_CURRENT_SOURCE_DIR}/cortex_m/memory.ld" -nostartfiles --specs=nosys.specs)
  set(program measure_tflm)
else()
  add_executable(listener_tflm tflm/main.cc)
  target_compile_options(listener_tflm PRIVATE -Wall -Wextra -Wconversion)
  set(program listener_tflm)
endif()
target_compile_definitions(${program} PRIVATE MICRO_EXTRA_BYTES=${MICRO_EXTRA_BYTES})
target_link_libraries(${program} detector frontend microlite)
