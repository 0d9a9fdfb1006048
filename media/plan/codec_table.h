#pragma once
/* The rows of the codec table: codec.h says what they mean. Private to media/plan/. */
#include "media/plan/codec.h"

extern const struct tl_codec tl_codec_rows[];
extern const size_t tl_codec_n_rows;
