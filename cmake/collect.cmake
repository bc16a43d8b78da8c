# One thing, one file: finds the lines that open a descriptor, such as GAN_OP(tanh) or
# GAN_KERNEL(cpu, conv2d), and writes sorted NULL-terminated tables of them.
#   cmake -DKINDS=library|program -DSOURCES=<list of files> -DROOT=<tree> -DOUTPUT=<file.c> -P collect.cmake
# A name that appears twice stops the build with both file names.

#            macro      struct             symbol prefix      table
set(library "OP         gan__op            gan__op_           gan__ops"
            "KERNEL     gan__kernel        gan__kernel_       gan__kernels"
            "LOSS       gan_loss           gan__loss_         gan__losses"
            "REG        gan_reg            gan__reg_          gan__regs"
            "ARCH       gan_arch           gan__arch_         gan__archs"
            "OPTIM      gan_optimizer      gan__optim_        gan__optims"
            "INIT       gan_initializer    gan__init_         gan__inits"
            "MODEL      gan_model          gan__model_        gan__models"
            "PRESET     gan_preset         gan__preset_       gan__presets"
            "DATA       gan_dataset_kind   gan__data_         gan__datas"
            "METRIC     gan_metric         gan__metric_       gan__metrics"
            "FEATURES   gan_feature_net    gan__features_     gan__feature_nets"
            "EXPERIMENT gan_experiment     gan__experiment_   gan__experiments"
            "PASS       gan__pass          gan__pass_         gan__passes")
set(program "COMMAND    gan__command       gan__command_      gan__commands"
            "BENCH      gan__bench         gan__bench_        gan__benches")

file(STRINGS ${SOURCES} files)
foreach(file IN LISTS files)
  file(READ ${file} text)
  string(REGEX MATCHALL "\nGAN_[A-Z]+\\([A-Za-z0-9_, \n]+\\)" hits "\n${text}")
  string(REPLACE "${ROOT}/" "" file "${file}")
  foreach(hit IN LISTS hits)
    string(REGEX MATCH "GAN_([A-Z]+)\\((.*)\\)" hit "${hit}")
    set(macro ${CMAKE_MATCH_1})
    string(REGEX REPLACE "[, \n]+" "_" name "${CMAKE_MATCH_2}")
    if(DEFINED where_${macro}_${name})
      message(FATAL_ERROR "${hit} is defined twice: in ${where_${macro}_${name}} and in ${file}")
    endif()
    set(where_${macro}_${name} ${file})
    list(APPEND names_${macro} ${name})
  endforeach()
endforeach()

set(code "/* Written by cmake/collect.cmake from the descriptors in the sources. */\n#include <stddef.h>\n")
foreach(row IN LISTS ${KINDS})
  string(REGEX REPLACE " +" ";" row "${row}")
  list(GET row 0 macro)
  list(GET row 1 type)
  list(GET row 2 prefix)
  list(GET row 3 table)
  set(names ${names_${macro}})
  list(SORT names)
  string(APPEND code "\nstruct ${type};\n")
  set(entries "")
  foreach(name IN LISTS names)
    string(APPEND code "extern const struct ${type} ${prefix}${name};\n")
    string(APPEND entries "    &${prefix}${name},\n")
  endforeach()
  string(APPEND code "extern const struct ${type} *const ${table}[];\n"
         "const struct ${type} *const ${table}[] = {\n${entries}    NULL,\n};\n")
endforeach()

set(old "")
if(EXISTS ${OUTPUT})
  file(READ ${OUTPUT} old)
endif()
if(NOT old STREQUAL code)
  file(WRITE ${OUTPUT} "${code}")
endif()
