#pragma once
/*
 * Fresh libopus states by copying. Creating one asks the CPU what it can do
 * (CPUID: a trap to the hypervisor on a virtual machine), 62-67 µs; a state may
 * be copied freely, as opus.h says, for 2 µs. Private to media/.
 */
#include <opus/opus.h>

/* Rates that libopus works at, those of the codec table. NULL: not one. g_free() it. */
OpusEncoder *tl_opus_encoder_copy(unsigned rate_hz); /* mono, for speech */
OpusDecoder *tl_opus_decoder_copy(unsigned rate_hz); /* mono */
